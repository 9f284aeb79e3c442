"""What the client has said so far, in the words of the policy delegation protocol."""

from typing import Literal, TypeAlias

from mypy_extensions import mypyc_attr

from maysend.header import Field

NameStatus: TypeAlias = Literal["ok", "none", "temporary"]
"""Whether an address has a name: yes, no, or not known for now."""


@mypyc_attr(acyclic=True)
class Dialogue:
    """The facts of one SMTP dialogue that restrictions may look at (SMTPD_POLICY_README).

    Addresses are in internal form: without angle brackets and quoting; "" is the null sender.
    None means that the command was not given yet. `header` holds the fields that say who the
    message is from; None but at the end of the data, where who asks has the message. All begin as
    nothing known, and are set as the dialogue goes on.
    """

    client_address: str = ""
    client_name: str = "unknown"
    client_name_status: NameStatus = "none"
    reverse_client_name: str = "unknown"
    reverse_client_name_status: NameStatus = "none"
    client_port: str = ""
    server_address: str = ""
    server_port: str = ""
    protocol_name: str = "ESMTP"
    protocol_state: str = "CONNECT"
    instance: str = ""
    helo_name: str | None = None
    sender: str | None = None
    recipient: str | None = None
    recipient_count: int = 0
    size: int = 0
    etrn_domain: str | None = None
    sasl_username: str = ""
    sasl_method: str = ""
    sasl_sender: str = ""
    encryption_protocol: str = ""
    encryption_cipher: str = ""
    encryption_keysize: int = 0
    ccert_subject: str = ""
    ccert_issuer: str = ""
    ccert_fingerprint: str = ""
    ccert_pubkey_fingerprint: str = ""
    ccert_trusted: bool = False
    pipelined_too_early: bool = False
    smtputf8: bool = False
    header: tuple[Field, ...] | None = None

    @property
    def client(self) -> str:
        """The client as smtpd names it in replies and logs: name[address]."""
        return f"{self.client_name}[{self.client_address}]"
