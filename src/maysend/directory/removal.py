"""What goes with an account, and what stays: removed in one transaction."""

import msgspec
from sqlalchemy import ColumnElement, Connection, ScalarSelect, and_, delete, or_, select

from maysend.directory import schema
from maysend.directory.audit import Change, record
from maysend.directory.lists import lists_posted_by, remove_poster


class Holdings(msgspec.Struct, frozen=True):
    """What an account has besides its own address."""

    aliases: tuple[str, ...]
    grants: tuple[str, ...]
    emptied: tuple[str, ...]
    """Those of `aliases` that lead to nobody else."""
    lists: tuple[str, ...] = ()
    """The lists that name it as a poster."""
    used_by: tuple[str, ...] = ()
    """Logins that are granted its address: they keep it."""


def holdings(connection: Connection, login: str, delimiters: str) -> Holdings:
    """What the account has. `delimiters` is main.cf's recipient_delimiter."""
    mine = _leads_to(login, delimiters)
    held = tuple(
        connection.execute(select(_address).where(mine).distinct().order_by(_address)).scalars()
    )
    leading_elsewhere = select(_address).where(~mine, _address.in_(held)).distinct()
    shared = set(connection.execute(leading_elsewhere).scalars()) if held else set()
    grants, accounts = schema.grants, schema.accounts
    granted = (
        select(grants.c.address)
        .where(grants.c.account_id == _id_of(login))
        .order_by(grants.c.address)
    )
    others = (
        select(accounts.c.login)
        .join_from(grants, accounts)
        .where(grants.c.address == login, accounts.c.login != login)
        .order_by(accounts.c.login)
    )
    return Holdings(
        aliases=held,
        grants=tuple(connection.execute(granted).scalars()),
        emptied=tuple(alias for alias in held if alias not in shared),
        lists=lists_posted_by(connection, login),
        used_by=tuple(connection.execute(others).scalars()),
    )


def remove_account(connection: Connection, change: Change, login: str, delimiters: str) -> Holdings:
    """Remove the account `login`, and it from every alias, grant and list. Says what it had."""
    held = holdings(connection, login, delimiters)
    connection.execute(delete(schema.aliases).where(_leads_to(login, delimiters)))
    remove_poster(connection, login)
    # Its grants go with it: ON DELETE CASCADE.
    connection.execute(delete(schema.accounts).where(schema.accounts.c.login == login))
    record(connection, change, "account remove", login, _held_text(held))
    return held


_address = schema.aliases.c.address


def _leads_to(login: str, delimiters: str) -> ColumnElement[bool]:
    """Whether an alias row leads to `login` or to an extension of it, `bob+tag@`."""
    target = schema.aliases.c.target
    local_part, at, domain = login.rpartition("@")
    if not at:
        return target == login
    extended = [
        and_(
            target.startswith(f"{local_part}{delimiter}", autoescape=True),
            target.endswith(f"@{domain}", autoescape=True),
            # An account or alias of exactly that name is somebody else.
            target.not_in(select(schema.accounts.c.login)),
            target.not_in(select(_other.c.address)),
        )
        for delimiter in delimiters
    ]
    return or_(target == login, *extended)


_other = schema.aliases.alias()


def _id_of(login: str) -> ScalarSelect[int]:
    return select(schema.accounts.c.id).where(schema.accounts.c.login == login).scalar_subquery()


def _held_text(held: Holdings) -> str:
    parts = [
        *(f"alias {alias}" for alias in held.aliases),
        *(f"grant {address}" for address in held.grants),
        *(f"list {address}" for address in held.lists),
    ]
    return ", ".join(parts)
