"""SMTP commands as they are written on a line (RFC 5321 4.1.1), read as Postfix reads them.

MAIL and RCPT parameters: SIZE (RFC 1870), BODY (6152), SMTPUTF8 (6531), AUTH (4954), RET, ENVID,
NOTIFY, ORCPT (3461). Reply texts are those of a live Postfix 3.7 smtpd.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from maysend.protocols.smtp.extensions import (
    NO_MAIL_PARAMETERS,
    NO_RCPT_PARAMETERS,
    Extensions,
    MailParameters,
    RcptParameters,
)
from maysend.reply import Reply

MAIL_SYNTAX: Final = Reply(501, "5.5.4", "Syntax: MAIL FROM:<address>")
RCPT_SYNTAX: Final = Reply(501, "5.5.4", "Syntax: RCPT TO:<address>")
BAD_SENDER: Final = Reply(501, "5.1.7", "Bad sender address syntax")
BAD_RECIPIENT: Final = Reply(501, "5.1.3", "Bad recipient address syntax")
BAD_SIZE: Final = Reply(501, "5.5.4", "Bad message size syntax")
BAD_RET: Final = Reply(501, "5.5.4", "Bad RET parameter syntax")
BAD_ENVID: Final = Reply(501, "5.5.4", "Bad ENVID parameter syntax")
BAD_NOTIFY: Final = Reply(501, "5.5.4", "Error: Bad NOTIFY parameter syntax")
BAD_ORCPT: Final = Reply(501, "5.5.4", "Error: Bad ORCPT parameter syntax")

XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+")
UTF8_XTEXT: Final = re.compile(
    r"(?:[!-*,-<>-\[\]-~\u0080-\U0010ffff]|\\x\{[0-9A-F]{2,6}\}|\+[0-9A-F]{2})+"
)
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
NOTIFY_WHEN: Final = ("SUCCESS", "FAILURE", "DELAY")
LONGEST_ENVID: Final = 100
LONGEST_ORCPT: Final = 500


class CommandError(Exception):
    """A command that can't be read; `reply` is what the client is told."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def split_verb(line: str) -> tuple[str, str]:
    """The command's word in upper case, and the rest of the line without blanks around it."""
    verb, _, argument = line.replace("\t", " ").strip(" ").partition(" ")
    return verb.upper(), argument.strip(" ")


def parse_mail(argument: str, offered: Extensions) -> tuple[str, MailParameters]:
    """The reverse-path as written, brackets included, and the parameters.

    Raises CommandError, also for a parameter of an extension that is not offered.
    """
    path, words = _path_and_words(argument, "FROM:", MAIL_SYNTAX, BAD_SENDER)
    if not words:
        return path, NO_MAIL_PARAMETERS
    readers: dict[str, Callable[[str], dict[str, object]]] = {"AUTH": _untrusted_auth}
    if offered.size is not None:
        readers["SIZE"] = _size
    if offered.eightbitmime:
        readers["BODY"] = _body
    if offered.dsn:
        readers |= {"RET": _ret, "ENVID": _envid}
    found = _read_parameters(words, readers, {"SMTPUTF8"} if offered.smtputf8 else set())
    return path, msgspec.convert(found, MailParameters)


def parse_rcpt(argument: str, offered: Extensions) -> tuple[str, RcptParameters]:
    """The forward-path as written, brackets included, and the parameters.

    Raises CommandError, also for a parameter of an extension that is not offered.
    """
    path, words = _path_and_words(argument, "TO:", RCPT_SYNTAX, BAD_RECIPIENT)
    if not words:
        return path, NO_RCPT_PARAMETERS
    readers: dict[str, Callable[[str], dict[str, object]]] = {}
    if offered.dsn:
        readers = {"NOTIFY": _notify, "ORCPT": _orcpt}
    return path, msgspec.convert(_read_parameters(words, readers, set()), RcptParameters)


def _path_and_words(
    argument: str, keyword: str, syntax: Reply, bad_address: Reply
) -> tuple[str, list[str]]:
    if argument[: len(keyword)].upper() != keyword:
        raise CommandError(syntax)
    rest = argument[len(keyword) :].lstrip(" ")
    if not rest:
        raise CommandError(syntax)
    if CONTROL.search(rest):
        raise CommandError(bad_address)
    if not rest.startswith("<"):
        path, _, parameters = rest.partition(" ")
        return path, _words(parameters)
    end = _closing_bracket(rest)
    after = rest[end + 1 :]
    if end < 0 or (after and after[0] != " "):
        raise CommandError(bad_address)
    return rest[: end + 1], _words(after)


def _words(text: str) -> list[str]:
    """Split on blanks only: str.split() would also split on what Unicode calls a space."""
    return [word for word in text.split(" ") if word]


def _closing_bracket(text: str) -> int:
    """Where the `>` is that closes `text`'s first `<`, quoted strings left aside; -1: nowhere."""
    if '"' not in text and "\\" not in text:
        return text.find(">")
    quoted = False
    position = 1
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif character == '"':
            quoted = not quoted
        elif character == ">" and not quoted:
            return position
        position += 1
    return -1


def _read_parameters(
    words: list[str],
    readers: dict[str, Callable[[str], dict[str, object]]],
    flags: set[str],
) -> dict[str, object]:
    found: dict[str, object] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name.upper() in flags and not equals:
            found[name.lower()] = True
        elif name.upper() in readers and equals:
            if name.lower() in found:
                raise CommandError(REPEATED.get(name.upper(), _unsupported(word)))
            found |= readers[name.upper()](value)
        else:
            raise CommandError(_unsupported(word))
    return found


REPEATED: Final = {"RET": BAD_RET, "ENVID": BAD_ENVID, "NOTIFY": BAD_NOTIFY, "ORCPT": BAD_ORCPT}


def _unsupported(word: str) -> Reply:
    return Reply(555, "5.5.4", f"Unsupported option: {word}")


def _untrusted_auth(_value: str) -> dict[str, object]:
    """RFC 4954 5: an AUTH= that the server does not trust is as good as AUTH=<>; it is dropped."""
    return {}


def _size(value: str) -> dict[str, object]:
    if not (value.isascii() and value.isdigit() and len(value) <= 20):
        raise CommandError(BAD_SIZE)
    return {"size": int(value)}


def _body(value: str) -> dict[str, object]:
    if value.upper() not in ("7BIT", "8BITMIME"):
        raise CommandError(_unsupported(f"BODY={value}"))
    return {"body": value.upper()}


def _ret(value: str) -> dict[str, object]:
    if value.upper() not in ("FULL", "HDRS"):
        raise CommandError(BAD_RET)
    return {"ret": value.upper()}


def _envid(value: str) -> dict[str, object]:
    if not XTEXT.fullmatch(value) or len(value) > LONGEST_ENVID:
        raise CommandError(BAD_ENVID)
    return {"envid": value}


def _notify(value: str) -> dict[str, object]:
    when = value.upper().split(",")
    if when != ["NEVER"] and not (set(when) <= set(NOTIFY_WHEN) and len(set(when)) == len(when)):
        raise CommandError(BAD_NOTIFY)
    return {"notify": ",".join(when)}


def _orcpt(value: str) -> dict[str, object]:
    kind, semicolon, address = value.partition(";")
    well_formed = XTEXT.fullmatch(address) or (
        kind.upper() == "UTF-8" and UTF8_XTEXT.fullmatch(address)
    )
    if not (kind and XTEXT.fullmatch(kind) and semicolon and well_formed):
        raise CommandError(BAD_ORCPT)
    if len(value) > LONGEST_ORCPT:
        raise CommandError(BAD_ORCPT)
    return {"orcpt": value}
