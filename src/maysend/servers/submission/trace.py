"""Header lines that the gateway adds: Received (RFC 5321 4.4), Date and Message-ID (RFC 6409 8)."""

import re
import ssl
import time
from email.utils import formatdate
from functools import lru_cache
from secrets import token_hex
from typing import Final

from maysend.protocols.header import HeaderBlock
from maysend.servers.submission.envelope import Envelope, external
from maysend.servers.submission.peer import Peer

NOT_IN_A_COMMENT: Final = re.compile(r"[\x00-\x1f\x7f()\\]")
NOT_IN_A_NAME: Final = re.compile(r"[^!#-'*+\-./0-:=?A-\[\]-~\u0080-\U0010ffff]")
"""In a HELO name that is written down: what quotes, comments, lists or ends a field."""
LONGEST_NAME: Final = 320
"""Characters of a HELO name or recipient in a Received: line (lines have 998 at most)."""
FIELD_LINE: Final = re.compile(r"[!-9;-~]+:")


class Origin:
    """Where a message came from, as its Received: line says it.

    `login` is named in the line where smtpd_sasl_authenticated_header asks for it.
    """

    def __init__(
        self,
        *,
        helo_name: str,
        client_name: str,
        client_address: str,
        by: str,
        protocol: str,
        tls: str,
        message_id: str,
        recipient: str | None,
        login: str = "",
        cipher_suite: str = "",
    ) -> None:
        self.helo_name = helo_name
        self.client_name = client_name
        self.client_address = client_address
        self.by = by
        self.protocol = protocol
        self.tls = tls
        self.message_id = message_id
        self.recipient = recipient
        self.login = login
        self.cipher_suite = cipher_suite


def origin_of(peer: Peer, envelope: Envelope, by: str, *, names_login: bool) -> Origin:
    """Where a message with this envelope came from. A recipient is only named where it is alone."""
    only = envelope.recipients[0].address if len(envelope.recipients) == 1 else None
    return Origin(
        helo_name=peer.helo_name,
        client_name=peer.name,
        client_address=peer.address,
        by=by,
        protocol=protocol_name(
            esmtp=peer.esmtp,
            utf8=envelope.parameters.smtputf8,
            tls=bool(peer.tls),
            authenticated=bool(peer.login),
        ),
        tls=peer.tls,
        message_id=envelope.message_id,
        recipient=external(only) if only is not None else None,
        login=peer.login if names_login else "",
        cipher_suite=peer.cipher_suite,
    )


def protocol_name(*, esmtp: bool, utf8: bool, tls: bool, authenticated: bool) -> str:
    """ESMTPSA and its relatives (RFC 3848, RFC 6531 4.3)."""
    if not esmtp:
        return "SMTP"
    name = "UTF8SMTP" if utf8 else "ESMTP"
    return name + "S" * tls + "A" * authenticated


def cipher_suite(name: str, context: ssl.SSLContext) -> str:
    """A cipher for a tls clause: its registered name, or its number, "" where it has neither.

    OpenSSL has names of its own for those of TLS 1.2.
    """
    if name.startswith("TLS_"):
        return name
    numbers = [cipher["id"] for cipher in context.get_ciphers() if cipher["name"] == name]
    return f"0x{numbers[0] & 0xFFFF:04X}" if numbers else ""


def received(origin: Origin, when: float) -> bytes:
    """A Received: field; `when` in seconds since the epoch."""
    lines = [_from(origin.helo_name, origin.client_name, origin.client_address)]
    if origin.tls:
        lines.append(f"(using {origin.tls})")
    if origin.login:
        login = NOT_IN_A_COMMENT.sub("?", origin.login[:LONGEST_NAME])
        lines.append(f"(Authenticated sender: {login})")
    lines.append(f"by {origin.by} (maysend) with {origin.protocol} id {origin.message_id}")
    # The order is that of RFC 5321 4.4: "for" before additional clauses.
    if origin.recipient and len(origin.recipient) <= LONGEST_NAME:
        lines.append(f"for <{origin.recipient}>")
    if origin.cipher_suite:
        lines.append(f"tls {origin.cipher_suite}")
    field = f"{_joined(lines)}; {_date(int(when))}"
    if not field.isascii() and not origin.protocol.startswith("UTF8"):
        # A HELO name or login may be anything; the next hop has been promised ASCII (RFC 6531 3.1).
        field = field.encode("ascii", "replace").decode()
    return _folded(field)


@lru_cache(maxsize=1024)
def _from(helo_name: str, client_name: str, client_address: str) -> str:
    """The same for all messages of a session."""
    name = NOT_IN_A_NAME.sub("?", helo_name[:LONGEST_NAME]) or "unknown"
    client = NOT_IN_A_COMMENT.sub("?", f"{client_name} [{client_address}]")
    return f"Received: from {name} ({client})"


@lru_cache(maxsize=2)
def _date(when: int) -> str:
    """The same for all messages of a second."""
    return formatdate(when, localtime=True)


def missing_fields(header: HeaderBlock, hostname: str, when: float) -> bytes:
    """Date and Message-ID fields where the header has none."""
    fields = b""
    if not header.count(b"date"):
        fields += _folded(f"Date: {_date(int(when))}")
    if not header.count(b"message-id"):
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(when))
        fields += _folded(f"Message-ID: <{stamp}.{token_hex(8)}@{hostname}>")
    return fields


def prepended(text: str) -> bytes:
    """A line that a PREPEND action asks for; nothing where it is no header field (access(5))."""
    return _folded(re.sub(r"[\r\n\x00]+", " ", text)) if FIELD_LINE.match(text) else b""


def _joined(lines: list[str]) -> str:
    return "\r\n\t".join(lines)


def _folded(field: str) -> bytes:
    return field.encode("utf-8", "surrogateescape") + b"\r\n"
