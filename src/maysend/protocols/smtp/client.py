"""The client's end: what the next hop offers (RFC 5321 4.1.1.1), and the commands sent to it."""

from typing import Final

from maysend.protocols.smtp.extensions import Extensions, MailParameters, RcptParameters
from maysend.protocols.smtp.replies import ProtocolError, ReplyLines, ReplyReader

__all__ = ["Extensions", "ProtocolError", "ReplyLines", "ReplyReader"]

NO_SIZE_LIMIT: Final = 0


def extensions(reply: ReplyLines) -> Extensions:
    """What an EHLO reply offers; unknown keywords are passed over."""
    offered: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = line.strip().partition(" ")
        offered[keyword.upper()] = parameters.strip()
    return Extensions(
        size=_size(offered["SIZE"]) if "SIZE" in offered else None,
        eightbitmime="8BITMIME" in offered,
        smtputf8="SMTPUTF8" in offered and "8BITMIME" in offered,
        dsn="DSN" in offered,
        pipelining="PIPELINING" in offered,
        enhancedstatuscodes="ENHANCEDSTATUSCODES" in offered,
        chunking="CHUNKING" in offered,
        starttls="STARTTLS" in offered,
        auth=_words(offered, "AUTH"),
        xclient=_words(offered, "XCLIENT"),
        xforward=_words(offered, "XFORWARD"),
    )


def _words(offered: dict[str, str], keyword: str) -> frozenset[str]:
    return frozenset(offered.get(keyword, "").upper().split())


def _size(parameter: str) -> int:
    usable = parameter.isascii() and parameter.isdigit() and len(parameter) <= 20
    return int(parameter) if usable else NO_SIZE_LIMIT


def lacking(mail: MailParameters, rcpts: list[RcptParameters], offered: Extensions) -> str:
    """The extension that this message needs and that is not offered; "" when there is none."""
    if mail.body == "8BITMIME" and not offered.eightbitmime:
        return "8BITMIME"
    if mail.smtputf8 and not offered.smtputf8:
        return "SMTPUTF8"
    if not offered.dsn and (mail.uses_dsn or any(rcpt.uses_dsn for rcpt in rcpts)):
        return "DSN"
    return ""


def mail_command(sender: str, parameters: MailParameters, offered: Extensions) -> bytes:
    """MAIL FROM with every parameter that the client gave; `sender` in external form."""
    words = [f"MAIL FROM:<{sender}>"]
    if parameters.size is not None and offered.size is not None:
        words.append(f"SIZE={parameters.size}")
    if parameters.body is not None and offered.eightbitmime:
        words.append(f"BODY={parameters.body}")
    if parameters.smtputf8:
        words.append("SMTPUTF8")
    if parameters.ret is not None:
        words.append(f"RET={parameters.ret}")
    if parameters.envid is not None:
        words.append(f"ENVID={parameters.envid}")
    return command(" ".join(words))


def rcpt_command(recipient: str, parameters: RcptParameters) -> bytes:
    """RCPT TO with the parameters that the client gave; `recipient` in external form."""
    words = [f"RCPT TO:<{recipient}>"]
    if parameters.notify is not None:
        words.append(f"NOTIFY={parameters.notify}")
    if parameters.orcpt is not None:
        words.append(f"ORCPT={parameters.orcpt}")
    return command(" ".join(words))


def command(line: str) -> bytes:
    """The octets of one command. Raises ValueError for a line that would be two."""
    octets = line.encode("utf-8", "surrogateescape")
    # `in` asks first whether the octet is a number, by an exception that costs more than looking.
    if octets.find(b"\r") >= 0 or octets.find(b"\n") >= 0 or octets.find(b"\0") >= 0:
        raise ValueError("a command holds one line")
    return octets + b"\r\n"
