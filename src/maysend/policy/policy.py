"""Policy: a configuration compiled once, then asked any number of times."""

import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from msgspec.structs import astuple

from maysend.delegation import PolicyServices
from maysend.dns import Resolver
from maysend.maincf import Parameters
from maysend.policy.decision import Decision
from maysend.policy.reject_footer import RejectFooter
from maysend.policy.request import ProtocolState, Request
from maysend.policy.session import Session
from maysend.policy.stages import compile_stages
from maysend.policy.startup import require_known_values, require_relay_control
from maysend.restrictions.dialogue import Dialogue, NameStatus
from maysend.restrictions.node import Node
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable
from maysend.tables.table import Opener

HEADER_CHECK: Final = "reject_header_from_login_mismatch"


class Policy:
    """What a main.cf says about who may send, ready to be asked.

    `resolver` answers restrictions that ask DNS; without one, the name servers of this host do,
    from the first question on. `policy_services` answers for the policy servers that
    check_policy_service names; without one, they themselves are asked. `clock` says how old what
    verify(8) found out is. `opened` are tables to share with another policy of the same host.
    Raises PolicyError where smtpd would refuse to start, MainCfError where a value can't be read.
    """

    def __init__(
        self,
        parameters: Parameters,
        extra_tables: Mapping[str, Opener] | None = None,
        resolver: Resolver | None = None,
        policy_services: PolicyServices | None = None,
        clock: Callable[[], float] = time.time,
        opened: dict[str, OpenedTable] | None = None,
    ) -> None:
        self.parameters = parameters
        self.site = Site(parameters, extra_tables, resolver, policy_services, clock, opened)
        require_relay_control(self.site)
        require_known_values(self.site)
        self.stages = compile_stages(self.site)
        self.reject_footer = RejectFooter(self.site)

    @classmethod
    def load(
        cls,
        directory: str | Path,
        service: str | None = None,
        extra_tables: Mapping[str, Opener] | None = None,
        resolver: Resolver | None = None,
        policy_services: PolicyServices | None = None,
    ) -> "Policy":
        """The policy of a Postfix configuration directory, with master.cf's -o of `service`."""
        return cls(Parameters.load(directory, service), extra_tables, resolver, policy_services)

    @classmethod
    def from_parameters(
        cls,
        parameters: Mapping[str, str],
        extra_tables: Mapping[str, Opener] | None = None,
        resolver: Resolver | None = None,
        policy_services: PolicyServices | None = None,
    ) -> "Policy":
        """The policy of main.cf parameters given as they would be written there."""
        return cls(Parameters.from_mapping(parameters), extra_tables, resolver, policy_services)

    @classmethod
    def builtin(
        cls,
        extra_tables: Mapping[str, Opener],
        overrides: Mapping[str, str] | None = None,
        resolver: Resolver | None = None,
        policy_services: PolicyServices | None = None,
    ) -> "Policy":
        """The policy that comes with maysend: its own main.cf, on the directory's tables."""
        directory = str(files("maysend.policy").joinpath("builtin"))
        parameters = Parameters.load(directory)
        parameters = parameters.replaced(overrides) if overrides else parameters
        return cls(parameters, extra_tables, resolver, policy_services)

    @property
    def findings(self) -> list[Node]:
        """Restrictions that can't work as written: smtpd would find them when mail arrives."""
        stages = self.stages
        lists = [
            stages.client.nodes,
            stages.helo.nodes,
            stages.sender.nodes,
            *[stage.nodes for stage in stages.recipient_lists],
            stages.data.nodes,
            stages.end_of_data.nodes,
            stages.etrn.nodes,
            *stages.rules.classes.values(),
        ]
        return [node for nodes in lists for node in nodes if node.finding]

    @property
    def looks_past_the_header(self) -> bool:
        """Whether the end-of-data list asks about more than the message's header."""
        nodes = self.stages.end_of_data.nodes
        return any(node.written.lower() != HEADER_CHECK for node in nodes)

    def session(
        self,
        *,
        client_address: str = "",
        client_name: str = "unknown",
        reverse_client_name: str | None = None,
        sasl_username: str = "",
        sasl_method: str = "",
        protocol_name: str = "ESMTP",
        client_name_status: NameStatus | None = None,
        reverse_client_name_status: NameStatus | None = None,
    ) -> Session:
        """A dialogue with one client. A client without a name is "unknown"; the status says
        "temporary" where DNS could not tell."""
        dialogue = Dialogue()
        dialogue.client_address = client_address
        dialogue.client_name = client_name
        dialogue.client_name_status = client_name_status or _status(client_name)
        reverse = client_name if reverse_client_name is None else reverse_client_name
        dialogue.reverse_client_name = reverse
        dialogue.reverse_client_name_status = reverse_client_name_status or _status(reverse)
        dialogue.sasl_username = sasl_username
        dialogue.sasl_method = sasl_method
        dialogue.protocol_name = protocol_name
        return Session(self.stages, dialogue)

    def decide(self, request: Request, *, may_wait: bool = True) -> Decision:
        """Answer one question: the first command up to its state that something objects to.

        Without smtpd_delay_reject the client, HELO and sender lists answer as of their own
        commands, which this request has already passed. Where `may_wait` is off, WouldWait is
        raised instead of waiting for a process or a host.
        """
        session = self.session_of(request)
        session.may_wait = may_wait
        return _asked(session, request)

    def session_of(self, request: Request) -> Session:
        """A dialogue with the client of a request, before its first command."""
        # Taken apart at once: each attribute of a struct would be looked up by its name.
        (
            _state,
            protocol_name,
            client_address,
            client_port,
            client_name,
            reverse_client_name,
            _helo_name,
            _sender,
            _recipient,
            _recipient_count,
            size,
            _instance,
            server_address,
            server_port,
            sasl_method,
            sasl_username,
            sasl_sender,
            encryption_protocol,
            encryption_cipher,
            encryption_keysize,
            ccert_subject,
            ccert_issuer,
            ccert_fingerprint,
            ccert_pubkey_fingerprint,
            _etrn_domain,
        ) = astuple(request)
        session = self.session(
            client_address=client_address,
            client_name=client_name,
            reverse_client_name=reverse_client_name,
            sasl_username=sasl_username,
            sasl_method=sasl_method,
            protocol_name=protocol_name,
        )
        dialogue = session.dialogue
        dialogue.size = size
        dialogue.sasl_sender = sasl_sender
        dialogue.client_port = client_port
        dialogue.server_address = server_address
        dialogue.server_port = server_port
        if encryption_protocol:
            session.encrypted(encryption_protocol, encryption_cipher, encryption_keysize)
            session.certified(
                ccert_fingerprint,
                ccert_pubkey_fingerprint,
                subject=ccert_subject,
                issuer=ccert_issuer,
                # Postfix names subject and issuer only where it trusts the certificate.
                trusted=bool(ccert_subject or ccert_issuer),
            )
        return session


def _status(name: str) -> NameStatus:
    return "none" if name == "unknown" else "ok"


_CONNECT: Final = ProtocolState.CONNECT
_MAIL: Final = ProtocolState.MAIL
_RCPT: Final = ProtocolState.RCPT
_DATA: Final = ProtocolState.DATA
_ETRN: Final = ProtocolState.ETRN
_VRFY: Final = ProtocolState.VRFY
_HELO: Final = ProtocolState.HELO
_EHLO: Final = ProtocolState.EHLO


def _asked(session: Session, request: Request) -> Decision:
    state = request.protocol_state
    decision = session.connect()
    if state is _CONNECT or decision.reply is not None:
        return decision
    name = request.helo_name
    if name:
        decision = session.helo(name)
    if state is _HELO or state is _EHLO:
        return decision
    if decision.reply is not None:
        return decision
    if state is _ETRN:
        return session.etrn(request.etrn_domain)
    decision = session.mail(request.sender)
    if state is _MAIL or decision.reply is not None:
        return decision
    session.dialogue.instance = request.instance
    if state is _VRFY:
        return session.vrfy(request.recipient)
    if state is _RCPT:
        session.dialogue.recipient_count = request.recipient_count
        return session.rcpt(request.recipient)
    session.dialogue.recipient = request.recipient or None
    session.dialogue.recipient_count = request.recipient_count or 1
    if state is _DATA:
        return session.data()
    return session.end_of_data()
