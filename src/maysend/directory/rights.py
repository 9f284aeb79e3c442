"""Who may send as whom and write to whom, listed: the same rules as for one question.

What is listed are names: accounts, aliases, grants and lists. Extensions, and what a pattern or
`@domain` covers, follow from them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select, union

from maysend.directory import ownership, posting
from maysend.directory.addresses import EVERYTHING, comparable
from maysend.directory.grants import spelled
from maysend.directory.names import Reader
from maysend.directory.schema import accounts, aliases, grants, lists

if TYPE_CHECKING:
    from maysend.directory.directory import Directory

SEND_AS = "send as"
ON_BEHALF = "send on behalf of"
WRITE_TO = "write to"


class Right(msgspec.Struct, frozen=True, order=True):
    """`login` has the `right` to `address`, by being it, by an alias, a grant or a list."""

    login: str
    right: str
    address: str
    by: str


def rights_to_send_as(directory: "Directory", sender: str, delimiters: str = "+") -> list[Right]:
    """Who may send as `sender`, and on its behalf."""
    with directory.reader() as reader:
        return list(_of_sender(reader, comparable(sender), delimiters))


def rights_to_write_to(
    directory: "Directory", recipient: str, delimiters: str = "+"
) -> list[Right] | None:
    """Who may write to `recipient`; None: everybody whose scope allows it; []: nobody.

    A login may be `@domain` or "*" there.
    """
    with directory.reader() as reader:
        answer = posting.posters(reader, recipient, delimiters)
    if answer is None:
        return None
    return [Right(login, WRITE_TO, comparable(recipient), "list") for login in answer]


def rights_of_login(directory: "Directory", login: str, delimiters: str = "+") -> list[Right]:
    """All that `login` may send as, and the lists that it may write to."""
    canonical = comparable(login)
    with directory.reader() as reader:
        found = [
            right
            for name in _names_leading_to(directory, canonical)
            for right in _of_sender(reader, name, delimiters)
            if right.login == canonical
        ]
        for each in directory.lists.list():
            answer = posting.posters(reader, each.address, delimiters)
            if answer is not None and posting.may_post(canonical, answer):
                found.append(Right(canonical, WRITE_TO, each.address, "list"))
    return sorted(set(found))


def all_rights(directory: "Directory", delimiters: str = "+") -> Iterator[Right]:
    """The whole matrix, by address, then the lists."""
    names = union(
        select(accounts.c.login), select(aliases.c.address), select(grants.c.address)
    ).subquery()
    with directory.reader() as reader:
        for name in reader.connection.execute(select(names.c[0]).order_by(names.c[0])).scalars():
            yield from _of_sender(reader, name, delimiters)
        for address in reader.connection.execute(select(lists.c.address)).scalars().all():
            for login in posting.posters(reader, address, delimiters) or ():
                yield Right(login, WRITE_TO, address, "list")


def _of_sender(reader: Reader, name: str, delimiters: str) -> Iterator[Right]:
    """The rights to one name: of an account or alias, or to what a grant is for."""
    if name == EVERYTHING:
        for holder in reader.holders([EVERYTHING]):
            yield Right(holder.login, SEND_AS, spelled(EVERYTHING), "grant")
    elif name.startswith("/"):
        yield from _of_pattern(reader, name)
    else:
        reached = ownership.expand(reader, name, delimiters, sending=True).accounts
        for login in ownership.owners(reader, name, delimiters).logins:
            by = "account" if login == name else "alias" if reached.get(login) else "grant"
            yield Right(login, SEND_AS, name, by)
        for login in ownership.on_behalf(reader, name, delimiters).logins:
            yield Right(login, ON_BEHALF, name, "grant")
    if name == EVERYTHING:
        for holder in reader.holders([EVERYTHING], kind="on-behalf"):
            yield Right(holder.login, ON_BEHALF, spelled(EVERYTHING), "grant")


def _of_pattern(reader: Reader, pattern: str) -> Iterator[Right]:
    """A pattern covers addresses without number: its targets are what can be told."""
    for row in reader.aliases([pattern]).get(pattern, ()):
        if row.send and not row.target.startswith("@") and "$" not in row.target:
            reached = ownership.expand(reader, row.target, "", sending=True).accounts
            for login in sorted(login for login, may_act in reached.items() if may_act):
                yield Right(login, SEND_AS, pattern, "alias")


def _names_leading_to(directory: "Directory", login: str) -> list[str]:
    """The login, what it is granted, and every alias that may lead to it, nested ones too."""
    names = dict.fromkeys([login, *(grant.address for grant in directory.grants.list(login))])
    waiting = [login]
    while waiting and len(names) < ownership.MAX_ADDRESSES * 10:
        for row in directory.aliases.leading_to(waiting.pop()):
            if row.address not in names:
                names[row.address] = None
                waiting.append(row.address)
    return list(names)
