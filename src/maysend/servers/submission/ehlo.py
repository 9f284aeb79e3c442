"""What EHLO offers (RFC 5321 4.1.1.1)."""

from maysend.protocols.smtp.xclient import ATTRIBUTES as XCLIENT_ATTRIBUTES
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.services import Services


def keywords(services: Services, peer: Peer, auth: list[str], *, xclient: bool) -> list[str]:
    """In Postfix's order. `auth`: the AUTH lines; `xclient`: whether the client may say XCLIENT."""
    offered = services.offered
    lines = ["PIPELINING"]
    if offered.size is not None:
        lines.append(f"SIZE {offered.size}".removesuffix(" 0"))
    if services.settings.tls is not None and not peer.tls:
        lines.append("STARTTLS")
    lines += auth
    lines.append("ENHANCEDSTATUSCODES")
    if xclient:
        lines.append("XCLIENT " + " ".join(XCLIENT_ATTRIBUTES))
    possible = {
        "8BITMIME": offered.eightbitmime,
        "DSN": offered.dsn,
        "SMTPUTF8": offered.smtputf8,
        "CHUNKING": offered.chunking,
    }
    return lines + [keyword for keyword, is_offered in possible.items() if is_offered]
