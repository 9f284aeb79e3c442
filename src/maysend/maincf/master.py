"""master.cf: the services, and the parameters that each sets with `-o` (master(5)).

A service is one logical line of eight fields: name, type, private, unprivileged, chroot, wakeup,
process limit, command; then the command's arguments. `-o name=value` sets a parameter for that
service only, `-o { name = value }` one whose value holds whitespace. The last one wins.
"""

from collections.abc import Iterator

import msgspec

from maysend.maincf import tokens
from maysend.maincf.errors import MainCfError
from maysend.maincf.lines import (
    WHITESPACE,
    LogicalLine,
    logical_lines,
    starts_with_whitespace,
)
from maysend.maincf.place import Place
from maysend.maincf.settings import Setting
from maysend.maincf.tokens import Token

TYPES = ("inet", "unix", "fifo", "pass", "unix-dgram")
"""The service types of master(5)."""

SAME_PORT = (("25", "smtp"), ("465", "smtps", "submissions"), ("587", "submission"))
"""Names of one port: Postfix's own known_tcp_ports, so that "587" finds "submission"."""

_FIELDS = 8
_OPTIONS_WITH_ARGUMENT = frozenset("imnorst")


class Service(msgspec.Struct, frozen=True):
    """One service of master.cf, with the parameters that it overrides, in the order written."""

    name: str
    type: str
    command: str
    place: Place
    settings: tuple[Setting, ...]
    is_chrooted: bool = False


def parse(text: str, file: str) -> list[Service]:
    """The services of a master.cf; raises MainCfError for a line that Postfix would refuse."""
    return [_service(ln) for ln in logical_lines(text, file) if not starts_with_whitespace(ln)]


def select(services: list[Service], wanted: str, file: str) -> Service:
    """The service called `wanted`: "submission", "587", or "587/inet" with its type.

    Where several have the name, the one that runs smtpd is meant. Raises MainCfError, naming the
    services there are, where none has it.
    """
    name, slash, kind = wanted.rpartition("/")
    if not slash or kind not in TYPES:
        name, kind = wanted, ""
    for names in ((name,), _names_of_the_same_port(name)):
        found = [s for s in services if s.name in names and kind in ("", s.type)]
        if found:
            return next((service for service in found if service.command == "smtpd"), found[0])
    known = ", ".join(f"{s.name}/{s.type}" for s in services if s.command == "smtpd") or "none"
    message = f'no service "{wanted}"; services that run smtpd: {known}'
    raise MainCfError(message, Place(file, 0))


def _names_of_the_same_port(name: str) -> tuple[str, ...]:
    return next((names for names in SAME_PORT if name in names), ())


def _service(line: LogicalLine) -> Service:
    fields = tokens.split(line.text, tokens.BLANKS)
    if len(fields) < _FIELDS:
        raise MainCfError(
            f"expected {_FIELDS} fields (name type private unprivileged chroot wakeup maxproc"
            f" command), found {len(fields)}",
            line.place_at(0),
        )
    name, kind, command = fields[0].text, fields[1].text, fields[7].text
    if kind not in TYPES:
        message = f'invalid service type "{kind}": expected one of {", ".join(TYPES)}'
        raise MainCfError(message, line.place_at(fields[1].start))
    overrides = _option_arguments(line, fields[_FIELDS:])
    settings = tuple(_override(line, argument, f"{name}/{kind}") for argument in overrides)
    is_chrooted = fields[4].text.lower() == "y"
    return Service(name, kind, command, line.place_at(0), settings, is_chrooted)


def _option_arguments(line: LogicalLine, arguments: list[Token]) -> Iterator[Token]:
    """What follows each `-o`, as getopt(3) takes it: options may be joined, `--` ends them."""
    remaining = iter(arguments)
    for argument in remaining:
        argument = _without_braces(line, argument)
        if not argument.text.startswith("-") or argument.text in ("-", "--"):
            return
        option, inside = _option_with_argument(argument)
        if not option:
            continue
        value = inside or next(remaining, None)
        if value is None:
            message = f"option -{option} requires an argument"
            raise MainCfError(message, line.place_at(argument.start))
        if option == "o":
            yield value


def _option_with_argument(argument: Token) -> tuple[str, Token | None]:
    """The letter in "-vo" that takes an argument, and the argument where it is joined to it."""
    for offset, letter in enumerate(argument.text[1:], 1):
        if letter in _OPTIONS_WITH_ARGUMENT:
            rest = argument.text[offset + 1 :]
            start = argument.start + offset + 1
            return letter, Token(rest, start, argument.end) if rest else None
    return "", None


def _override(line: LogicalLine, argument: Token, service: str) -> Setting:
    argument = _without_braces(line, argument)
    return line.setting(argument.start, argument.end, service)


def _without_braces(line: LogicalLine, argument: Token) -> Token:
    """The inside of `{ name = value }`, whitespace at its ends dropped (extpar in Postfix)."""
    if not argument.text.startswith("{"):
        return argument
    closing = tokens.closing_brace(argument.text, 0)
    if closing is None:
        message = f"missing '}}' in \"{argument.text}\""
        raise MainCfError(message, line.place_at(argument.start))
    if closing != len(argument.text) - 1:
        message = f"syntax error after '}}' in \"{argument.text}\""
        raise MainCfError(message, line.place_at(argument.start + closing))
    inside = argument.text[1:closing]
    start = argument.start + 1 + len(inside) - len(inside.lstrip(WHITESPACE))
    inside = inside.strip(WHITESPACE)
    return Token(inside, start, start + len(inside))
