"""Who owns a sender address: pure functions over what a `Reader` answers.

The owners of an address are the union of

- the account of that name;
- the accounts that an alias of that name resolves to, through nested aliases, each with the right
  to send. What leads outside, in a circle, or to nobody owns nothing;
- the accounts that hold a grant of kind `as` for it.

The names tried are the full address, then the address without its extension, then the catch-all
`@domain`. The first that names an account or an alias decides, even where that gives no owner: a
receive-only alias, or a suspended account, hides its address from the catch-all's owner. Grants
join: for the address as asked, without its extension (unless somebody else is named by exactly the
extended address), for the whole domain, and for everything.

Aliases are followed MAX_NESTING deep and to MAX_ADDRESSES addresses; beyond that there is no
answer, and `AliasBoundError` says so.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from maysend.address.extension import split_extension
from maysend.directory.addresses import EVERYTHING, comparable
from maysend.directory.errors import DirectoryError

MAX_NESTING = 50
"""How many aliases may lead to one another before they are given up."""

MAX_ADDRESSES = 1000
"""How many addresses one alias may expand to, as Postfix's virtual_alias_expansion_limit."""


class AliasBoundError(DirectoryError):
    """An alias that leads further than the directory follows."""


class AliasTarget(msgspec.Struct, frozen=True):
    """Where an alias leads, and what that gives its target."""

    target: str
    send: bool
    receive: bool


class Holder(msgspec.Struct, frozen=True):
    """A login that is granted an address, until `expires` (seconds since 1970) if that is set."""

    login: str
    address: str
    expires: int | None


class Reader(Protocol):
    """What ownership asks of the directory; every name is in the form of `comparable`."""

    def accounts(self, logins: Collection[str], /) -> Mapping[str, bool]:
        """Those of `logins` that are accounts, and whether each may act (not disabled, …)."""
        ...

    def aliases(self, addresses: Collection[str], /) -> Mapping[str, Sequence[AliasTarget]]:
        """Those of `addresses` that are aliases, and where they lead."""
        ...

    def holders(self, addresses: Collection[str], /, kind: str = "as") -> Sequence[Holder]:
        """The accounts that may act and hold an unexpired grant of `kind` for any of
        `addresses`."""
        ...


class Owners(msgspec.Struct, frozen=True):
    """The logins that may send as an address, sorted; `until` is when the first grant runs out."""

    logins: tuple[str, ...]
    until: int | None = None


NOBODY = Owners(())


def candidates(address: str, delimiters: str) -> tuple[str, ...]:
    """The names tried for `address`, in order: itself, without extension, its catch-all."""
    local_part, at, domain = address.rpartition("@")
    if not at:
        local_part = address
    base = split_extension(local_part, delimiters)[0] if delimiters else local_part
    names = [address]
    if base != local_part:
        names.append(f"{base}{at}{domain}")
    if at:
        names.append(f"@{domain}")
    return tuple(names)


def owners(reader: Reader, address: str, delimiters: str = "") -> Owners:
    """Who may send as `address`, in any spelling. The null sender is nobody's.

    `delimiters` is main.cf's recipient_delimiter. AliasBoundError where an alias leads too far.
    """
    name = comparable(address)
    if name in ("", "<>"):
        return NOBODY
    names = candidates(name, delimiters)
    decided = _first_named(names, reader.accounts(names), reader.aliases(names))
    holders = reader.holders((*_granted_names(names, decided), EVERYTHING))
    logins = {holder.login for holder in holders}
    if decided is not None:
        logins.update(_resolve(reader, name, delimiters))
    return Owners(
        tuple(sorted(logins)),
        min((h.expires for h in holders if h.expires is not None), default=None),
    )


def on_behalf(reader: Reader, address: str, delimiters: str = "") -> Owners:
    """Who may write From: `address` beside a Sender: of their own: its `on-behalf` grants.

    They cover what grants of kind `as` cover.
    """
    name = comparable(address)
    if name in ("", "<>"):
        return NOBODY
    names = candidates(name, delimiters)
    decided = _first_named(names, reader.accounts(names), reader.aliases(names))
    asked = (*_granted_names(names, decided), EVERYTHING)
    holders = reader.holders(asked, kind="on-behalf")
    return Owners(
        tuple(sorted({holder.login for holder in holders})),
        min((h.expires for h in holders if h.expires is not None), default=None),
    )


def account_behind(reader: Reader, login: str) -> str | None:
    """The account that `login` means: itself, or the only one that an alias of that name leads to.

    A login has no extension and no catch-all. Whether the account may act is not asked here.
    """
    name = comparable(login)
    if not name or name.startswith("@"):
        return None
    if name in reader.accounts((name,)):
        return name
    if name not in reader.aliases((name,)):
        return None
    found = _accounts_reached(reader, name, "", sending=False)
    return next(iter(found)) if len(found) == 1 else None


def delivery_targets(reader: Reader, address: str, delimiters: str = "") -> tuple[str, ...]:
    """Where mail for `address` goes by the alias that decides, one step; () where none does.

    An account that is named first keeps its own mail from the catch-all. A target `@domain` keeps
    the name before the "@" (virtual(5)).
    """
    name = comparable(address)
    names = candidates(name, delimiters)
    aliases = reader.aliases(names)
    decided = _first_named(names, reader.accounts(names), aliases)
    if decided is None:
        return ()
    return tuple(_led_to(name, row) for row in aliases.get(decided, ()) if row.receive)


def mailbox(reader: Reader, address: str, delimiters: str = "") -> str | None:
    """The account that `address` names, with or without an extension; catch-alls play no part."""
    names = [n for n in candidates(comparable(address), delimiters) if not n.startswith("@")]
    return _first_named(names, reader.accounts(names), {})


def _resolve(reader: Reader, name: str, delimiters: str) -> set[str]:
    """The accounts that may act as `name` by being it or by its aliases."""
    reached = _accounts_reached(reader, name, delimiters, sending=True)
    return {login for login, may_act in reached.items() if may_act}


def _accounts_reached(
    reader: Reader, start: str, delimiters: str, *, sending: bool
) -> dict[str, bool]:
    """Every account that `start` leads to, level by level, so that a level is one question."""
    reached: dict[str, bool] = {}
    seen = {start}
    level = [start]
    for _ in range(MAX_NESTING + 1):
        names_of = {name: candidates(name, delimiters) for name in level}
        asked = list(dict.fromkeys(key for names in names_of.values() for key in names))
        accounts, aliases = reader.accounts(asked), reader.aliases(asked)
        level = []
        for name, names in names_of.items():
            decided = _first_named(names, accounts, aliases)
            if decided is None:
                continue
            if decided in accounts:
                reached[decided] = accounts[decided]
            for row in aliases.get(decided, ()):
                target = _led_to(name, row)
                if target not in seen and (row.send or not sending):
                    seen.add(target)
                    level.append(target)
        if len(seen) > MAX_ADDRESSES:
            raise AliasBoundError(f"{start} expands to more than {MAX_ADDRESSES} addresses")
        if not level:
            return reached
    raise AliasBoundError(f"{start} leads through more than {MAX_NESTING} nested aliases")


def _first_named(
    names: Iterable[str], accounts: Mapping[str, bool], aliases: Mapping[str, object]
) -> str | None:
    """The first of `names` that is an account or an alias."""
    return next((name for name in names if name in accounts or name in aliases), None)


def _granted_names(names: tuple[str, ...], decided: str | None) -> tuple[str, ...]:
    """The names whose grants cover the address that `names` are the candidates of.

    Where exactly the extended address is somebody's, it is no extension of another: the grant for
    `bob@` gives no more than bob himself has.
    """
    if decided == names[0]:
        return tuple(n for n in names if n == names[0] or n.startswith("@"))
    return names


def _led_to(name: str, row: AliasTarget) -> str:
    """The address that `row` leads `name` to; a target `@domain` keeps the name before the "@"."""
    if row.target.startswith("@"):
        return name.rpartition("@")[0] + row.target
    return row.target
