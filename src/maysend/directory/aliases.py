"""The aliases: addresses, or whole domains, that lead to others."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from maysend.directory import schema
from maysend.directory.addresses import parse_alias_address, parse_login, parse_name
from maysend.directory.alias_targets import check_exist, check_no_circle
from maysend.directory.audit import Change, record
from maysend.directory.database import Database
from maysend.directory.errors import DirectoryError
from maysend.directory.patterns import is_pattern, parse_pattern
from maysend.directory.reading import TransactionReader
from maysend.directory.suggest import nearest, unknown_in


class Alias(msgspec.Struct, frozen=True):
    """One target of an alias: whether it gets the mail (`receive`) and may send as it (`send`).

    `pattern` says that the address is one, as in pcre_table(5).
    """

    address: str
    target: str
    send: bool
    receive: bool
    created: int
    pattern: bool = False


class Aliases:
    """Add, list, remove. Every method raises DirectoryError with what was expected."""

    def __init__(self, database: Database, change: Callable[[], Change]) -> None:
        self._database = database
        self._change = change

    def add(
        self,
        address: str,
        targets: Sequence[str],
        *,
        send: bool = True,
        receive: bool = True,
        local: bool = False,
        checked: bool = False,
        missing_ok: bool = False,
    ) -> list[Alias]:
        """Let `address` lead to `targets`, besides those it has.

        `address` is `user@domain`, `@domain`, a pattern like `/^info-.*@example\\.com$/`, or,
        where `local` says so, a name without a domain like root. A target is an address, `@domain`
        (the name before the "@" is kept), the login of an account or a local alias; one that is
        there already gets the rights given here. Where `checked`, a target that leads back is
        refused, and one in a domain of ours that is nobody, unless `missing_ok`. Returns every
        target.
        """
        if not send and not receive:
            raise DirectoryError("an alias that neither receives nor sends would do nothing")
        if isinstance(targets, str) or not targets:
            raise DirectoryError(f"'{address}' needs a target: expected ALIAS, then its TARGETs")
        alias = parse_name(address) if local else _parse_alias(address, may_be_local=False)
        pattern = is_pattern(alias)
        parsed = [_parse_target(target, pattern=pattern) for target in targets]
        change = self._change()
        with self._database.writing() as connection:
            if checked and not missing_ok:
                check_exist(TransactionReader(connection, change.at), connection, alias, parsed)
            for target in parsed:
                _check_name_exists(connection, target)
                _put(connection, change, alias, target, send, receive)
            if checked:
                check_no_circle(TransactionReader(connection, change.at), alias, parsed)
            return _targets(connection, alias)

    def get(self, address: str) -> list[Alias]:
        """The targets of exactly this alias."""
        alias = _parse_alias(address)
        with self._database.reading() as connection:
            return _existing(connection, alias)

    def update(
        self, address: str, targets: Sequence[str] = (), *, send: bool, receive: bool
    ) -> list[Alias]:
        """Give those of its `targets`, all where none are named, other rights."""
        alias = _parse_alias(address)
        with self._database.together():
            here = {row.target for row in self.get(alias)}
            named = [_parse_target(t, pattern=is_pattern(alias)) for t in targets] or sorted(here)
            for target in named:
                if target not in here:
                    raise _not_a_target(alias, target, here)
            return self.add(alias, named, send=send, receive=receive, local=_is_local(alias))

    def remove(self, address: str, targets: Sequence[str] = ()) -> list[Alias]:
        """Take `targets` from the alias, or remove it where none are named. Returns what went."""
        alias = _parse_alias(address)
        named = {_parse_target(target, pattern=is_pattern(alias)) for target in targets}
        change = self._change()
        with self._database.writing() as connection:
            existing = _existing(connection, alias)
            known = {row.target for row in existing}
            for target in sorted(named - known):
                raise _not_a_target(alias, target, known)
            gone = [row for row in existing if not named or row.target in named]
            for row in gone:
                connection.execute(delete(schema.aliases).where(_is(alias, row.target)))
            record(connection, change, "alias remove", alias, " ".join(r.target for r in gone))
            return gone

    def list(self) -> list[Alias]:
        """Every alias, a row a target."""
        return list(self.stream())

    def stream(self) -> Iterator[Alias]:
        """`list`, a row at a time."""
        order = (schema.aliases.c.address, schema.aliases.c.id)
        with self._database.reading() as connection:
            rows = connection.execution_options(yield_per=1000).execute(_SELECT.order_by(*order))
            for row in rows:
                yield Alias(*row)

    def beginning(self, start: str, most: int) -> tuple[str, ...]:
        """At most `most` aliases that begin with `start`."""
        address = schema.aliases.c.address
        found = select(address).where(address.startswith(start, autoescape=True)).distinct()
        with self._database.reading() as connection:
            return tuple(connection.execute(found.order_by(address).limit(most)).scalars())

    def leading_to(self, target: str) -> tuple[Alias, ...]:
        """Every alias that leads to exactly `target`."""
        where = _SELECT.where(schema.aliases.c.target == target).order_by(schema.aliases.c.address)
        with self._database.reading() as connection:
            return tuple(Alias(*row) for row in connection.execute(where))


_SELECT = select(
    schema.aliases.c.address,
    schema.aliases.c.target,
    schema.aliases.c.send,
    schema.aliases.c.receive,
    schema.aliases.c.created,
    schema.aliases.c.pattern,
)


def _is(alias: str, target: str) -> ColumnElement[bool]:
    return and_(schema.aliases.c.address == alias, schema.aliases.c.target == target)


def _parse_alias(text: str, *, may_be_local: bool = True) -> str:
    if is_pattern(text):
        return parse_pattern(text)
    if may_be_local and _is_local(text):
        return parse_name(text)
    return parse_alias_address(text)


def _is_local(text: str) -> bool:
    return bool(text) and "@" not in text and not is_pattern(text)


def _parse_target(text: str, *, pattern: bool) -> str:
    if pattern and _SUBSTITUTED.search(text):
        # What the pattern's parentheses match stands for itself while the rest is looked at.
        parse_login(_SUBSTITUTED.sub("x", text))
        return text
    return parse_alias_address(text) if text.startswith("@") else parse_login(text)


_SUBSTITUTED = re.compile(r"\$[0-9]|\$[({][0-9]+[)}]")


def _check_name_exists(connection: Connection, target: str) -> None:
    """A target without a domain is an account or a local alias: else it is a typing error."""
    if "@" in target:
        return
    login, address = schema.accounts.c.login, schema.aliases.c.address
    for column in (login, address):
        if connection.execute(select(column).where(column == target).limit(1)).first() is not None:
            return
    near = nearest(connection, target, login, address)
    meant = f"did you mean '{near}'?" if near else "expected user@domain"
    raise DirectoryError(f"'{target}' has no domain and is no account's login, {meant}")


def _not_a_target(alias: str, target: str, known: Iterable[str]) -> DirectoryError:
    return DirectoryError(
        f"'{alias}' does not lead to '{target}', but to {', '.join(sorted(known))}"
    )


def _put(
    connection: Connection, change: Change, alias: str, target: str, send: bool, receive: bool
) -> None:
    found = connection.execute(_SELECT.where(_is(alias, target))).one_or_none()
    if found is not None and (found.send, found.receive) == (send, receive):
        return
    if found is None:
        connection.execute(
            insert(schema.aliases).values(
                address=alias,
                target=target,
                send=send,
                receive=receive,
                created=change.at,
                pattern=is_pattern(alias),
                origin=change.origin,
            )
        )
    else:
        connection.execute(
            update(schema.aliases).where(_is(alias, target)).values(send=send, receive=receive)
        )
    rights = " ".join(word for word, on in (("send", send), ("receive", receive)) if on)
    record(connection, change, "alias add", alias, f"{target} ({rights})")


def _targets(connection: Connection, alias: str) -> list[Alias]:
    where = _SELECT.where(schema.aliases.c.address == alias).order_by(schema.aliases.c.id)
    return [Alias(*row) for row in connection.execute(where)]


def _existing(connection: Connection, alias: str) -> list[Alias]:
    found = _targets(connection, alias)
    if not found:
        raise unknown_in(connection, "alias", alias, schema.aliases.c.address)
    return found
