"""Suspensions of senders and clients, whoever has logged in; logins are suspended by `Accounts`.

A subject is `user@domain` (with its extensions), `@domain`, or an IP address or network.
"""

import ipaddress
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select

from maysend.directory import schema
from maysend.directory.addresses import check_line, comparable, parse_alias_address, storable
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.names import candidates
from maysend.directory.suggest import unknown_in

LONGEST_REASON = 200
"""Octets of a suspension's reason: with the longest login it still fits one SMTP reply line."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class Suspension(msgspec.Struct, frozen=True):
    """A suspended sender or client; `kind` is address, domain or network."""

    subject: str
    kind: str
    reason: str
    by: str
    at: int
    until: int | None


class Refusal(msgspec.Struct, frozen=True):
    """Why something is refused, and until when (seconds since 1970)."""

    reason: str
    until: int | None


class Suspensions:
    """Add, list, remove. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(self, subject: str, reason: str, until: int | None = None) -> Suspension:
        """Refuse what `subject` sends, with `reason`; replaces a suspension that is there."""
        kind, name = parse_subject(subject)
        change = self._change()
        check_suspension(reason, until, change.at)
        row = Suspension(name, kind, reason.strip(), change.who, change.at, until)
        with self._database.writing() as connection:
            connection.execute(delete(_suspensions).where(_suspensions.c.subject == name))
            connection.execute(
                insert(_suspensions).values(**msgspec.structs.asdict(row), origin=change.origin)
            )
            record(connection, change, "suspension add", name, reason.strip())
        return row

    def get(self, subject: str) -> Suspension:
        """The suspension of exactly this subject."""
        name = parse_subject(subject)[1]
        with self._database.reading() as connection:
            return _get(connection, name)

    def list(self) -> list[Suspension]:
        """Every suspension, those that are over included, by subject."""
        with self._database.reading() as connection:
            rows = connection.execute(_SELECT.order_by(_suspensions.c.subject))
            return [Suspension(*row) for row in rows]

    def remove(self, subject: str) -> Suspension:
        """End a suspension. Returns it as it was."""
        name = parse_subject(subject)[1]
        change = self._change()
        with self._database.writing() as connection:
            gone = _get(connection, name)
            connection.execute(delete(_suspensions).where(_suspensions.c.subject == name))
            record(connection, change, "suspension remove", name)
            return gone


def parse_subject(text: str) -> tuple[str, str]:
    """The kind and the stored form of what is suspended."""
    if "@" in text:
        name = parse_alias_address(text)
        return ("domain" if name.startswith("@") else "address"), name
    try:
        return "network", str(_network(text))
    except ValueError as error:
        if "has host bits set" in str(error):
            inside = ipaddress.ip_network(text, strict=False)
            raise DirectoryError(f"{text!a} is no network; did you mean '{inside}'?") from None
        raise DirectoryError(
            f"{text[:80]!a} can't be suspended here, expected user@domain, @domain, or an IP "
            "address or network like 192.0.2.0/24; a login: maysend account suspend LOGIN"
        ) from None


def check_suspension(reason: str, until: int | None, now: int) -> None:
    """Refuse a suspension without a reason, or one that would be over already."""
    if not reason.strip():
        raise DirectoryError("a suspension needs a reason: the user is shown it")
    check_line("reason", reason.strip(), LONGEST_REASON)
    if until is not None and until <= now:
        raise DirectoryError("the suspension would be over already")


def suspended_sender(
    connection: Connection, address: str, delimiters: str, now: float
) -> Refusal | None:
    """Why mail from `address`, in any spelling, is refused."""
    names = [name for name in candidates(comparable(address), delimiters) if "@" in name]
    return _refusal(connection, [name for name in names if storable(name)], now)


def suspended_client(connection: Connection, client: str, now: float) -> Refusal | None:
    """Why a client is refused, by its address; a host name is never suspended."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return _refusal(connection, list(_networks_around(address)), now)


_suspensions = schema.suspensions
_SELECT = select(
    _suspensions.c.subject,
    _suspensions.c.kind,
    _suspensions.c.reason,
    _suspensions.c.by,
    _suspensions.c.at,
    _suspensions.c.until,
)


def _refusal(connection: Connection, subjects: list[str], now: float) -> Refusal | None:
    """The refusal by any of `subjects` that lasts longest."""
    where = (_suspensions.c.subject.in_(subjects), _lasting(now))
    found = [Suspension(*row) for row in connection.execute(_SELECT.where(*where))]
    if not found:
        return None
    longest = max(found, key=lambda each: (each.until is None, each.until or 0))
    return Refusal(longest.reason, longest.until)


def _lasting(now: float) -> ColumnElement[bool]:
    return or_(_suspensions.c.until.is_(None), _suspensions.c.until > now)


def _network(text: str) -> Network:
    network = ipaddress.ip_network(text.removeprefix("[").removesuffix("]"))
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def _networks_around(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Iterator[str]:
    """Every network that holds the address: plain equality is all that SQL compares."""
    for length in range(address.max_prefixlen + 1):
        yield str(ipaddress.ip_network((address, length), strict=False))


def _get(connection: Connection, subject: str) -> Suspension:
    row = connection.execute(_SELECT.where(_suspensions.c.subject == subject)).one_or_none()
    if row is None:
        raise unknown_in(connection, "suspension", subject, _suspensions.c.subject)
    return Suspension(*row)
