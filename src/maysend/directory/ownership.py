"""Who owns a sender address: pure functions over what a `Reader` answers.

The owners of an address are the union of

- the account of the name that decides (`maysend.directory.names`);
- the accounts that an alias of that name resolves to, through nested aliases, each with the right
  to send. What leads outside, in a circle, or to nobody owns nothing;
- the accounts that hold a grant of kind `as` for it: for the address as asked, without its
  extension (unless somebody else is named by exactly the extended address), for the whole domain,
  and for everything.

Aliases are followed MAX_NESTING deep and to MAX_ADDRESSES addresses; beyond that there is no
answer, and `AliasBoundError` says so.
"""

import msgspec

from maysend.directory.addresses import EVERYTHING, comparable
from maysend.directory.errors import DirectoryError
from maysend.directory.names import (
    AliasTarget,
    Decided,
    Holder,
    Reader,
    candidates,
    decide,
    decide_alone,
    led_to,
)

__all__ = ["AliasBoundError", "AliasTarget", "Holder", "Owners", "Reader", "owners"]

MAX_NESTING = 50
"""How many aliases may lead to one another before they are given up."""

MAX_ADDRESSES = 1000
"""How many addresses one alias may expand to, as Postfix's virtual_alias_expansion_limit."""


class AliasBoundError(DirectoryError):
    """An alias that leads further than the directory follows."""


class Owners(msgspec.Struct, frozen=True):
    """The logins that may send as an address, sorted; `until` is when the first grant runs out."""

    logins: tuple[str, ...]
    until: int | None = None


class Expansion(msgspec.Struct, frozen=True):
    """Where an address leads: every address on the way, and the accounts at the ends.

    Of an account is told whether it may act.
    """

    addresses: tuple[str, ...]
    accounts: dict[str, bool]


NOBODY = Owners(())


def owners(reader: Reader, address: str, delimiters: str = "") -> Owners:
    """Who may send as `address`, in any spelling. The null sender is nobody's.

    `delimiters` is main.cf's recipient_delimiter. AliasBoundError where an alias leads too far.
    """
    name = comparable(address)
    if name in ("", "<>"):
        return NOBODY
    names = candidates(name, delimiters)
    decided = decide(reader, names, reader.accounts(names), reader.aliases(names))
    holders = reader.holders((*_granted_names(names, decided), EVERYTHING))
    logins = {holder.login for holder in holders}
    if decided is not None:
        reached = expand(reader, name, delimiters, sending=True).accounts
        logins.update(login for login, may_act in reached.items() if may_act)
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
    decided = decide(reader, names, reader.accounts(names), reader.aliases(names))
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
    found = expand(reader, name, "", sending=None).accounts
    return next(iter(found)) if len(found) == 1 else None


def delivery_targets(reader: Reader, address: str, delimiters: str = "") -> tuple[str, ...]:
    """Where mail for `address` goes by the alias that decides, one step; () where none does.

    An account that is named first keeps its own mail from the catch-all. A target `@domain` keeps
    the name before the "@" (virtual(5)).
    """
    name = comparable(address)
    decided = decide_alone(reader, name, delimiters)
    if decided is None:
        return ()
    return tuple(led_to(name, row) for row in decided.targets if row.receive)


def mailbox(reader: Reader, address: str, delimiters: str = "") -> str | None:
    """The account that `address` names, with or without an extension; aliases play no part."""
    names = candidates(comparable(address), delimiters)
    decided = decide(reader, names, reader.accounts(names), {})
    return decided.name if decided is not None and decided.is_account else None


def expand(reader: Reader, start: str, delimiters: str, *, sending: bool | None) -> Expansion:
    """All that `start` leads to, level by level, so that a level is one question.

    `sending` follows the right to send, False the right to receive, None both.
    """
    reached: dict[str, bool] = {}
    seen = dict.fromkeys([start])
    level = [start]
    for _ in range(MAX_NESTING + 1):
        names_of = {name: candidates(name, delimiters) for name in level}
        asked = list(dict.fromkeys(key for names in names_of.values() for key in names))
        accounts, aliases = reader.accounts(asked), reader.aliases(asked)
        level = []
        for name, names in names_of.items():
            decided = decide(reader, names, accounts, aliases)
            if decided is None:
                continue
            if decided.is_account:
                reached[decided.name] = accounts[decided.name]
            for row in decided.targets:
                target = led_to(name, row)
                if target not in seen and _follows(row, sending):
                    seen[target] = None
                    level.append(target)
        if len(seen) > MAX_ADDRESSES:
            raise AliasBoundError(f"{start} expands to more than {MAX_ADDRESSES} addresses")
        if not level:
            return Expansion(tuple(seen), reached)
    raise AliasBoundError(f"{start} leads through more than {MAX_NESTING} nested aliases")


def _follows(row: AliasTarget, sending: bool | None) -> bool:
    return sending is None or (row.send if sending else row.receive)


def _granted_names(names: tuple[str, ...], decided: Decided | None) -> tuple[str, ...]:
    """The names whose grants cover the address that `names` are the candidates of.

    Where exactly the extended address is somebody's, it is no extension of another: the grant for
    `bob@` gives no more than bob himself has.
    """
    if decided is not None and decided.name == names[0] and not decided.by_pattern:
        return tuple(n for n in names if n == names[0] or n.startswith("@"))
    return names
