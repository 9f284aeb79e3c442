"""The tables of the directory's database, as the newest migration leaves them.

Times are seconds since 1970 (UTC), which every database keeps and compares alike. Names are
stored in the form of `addresses`, so plain equality is the only comparison that SQL makes.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    false,
    text,
)

metadata = MetaData()


def parameter(name: str) -> BindParameter[Any]:
    """A value that a prepared statement is given each time it runs."""
    return bindparam(name)


def _origin() -> Column[str]:
    """What wrote a row, "" for a person: an import replaces its own rows and no others."""
    return Column("origin", Text, nullable=False, server_default="")


accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("domain", Text, nullable=False),  # of the login, "" where it has none
    Column("password_hash", Text),
    Column("name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("suspended_reason", Text),
    Column("suspended_by", Text),
    Column("suspended_at", BigInteger),
    Column("suspended_until", BigInteger),  # NULL: until somebody resumes it
    Column("scope", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    _origin(),
    Index("accounts_domain", "domain"),
    # An id that is used again would inherit what its first bearer was granted.
    sqlite_autoincrement=True,
)

aliases = Table(
    "aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("send", Boolean, nullable=False),
    Column("receive", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    # The address is a pattern, written /like this/i.
    Column("pattern", Boolean, nullable=False, server_default=false()),
    _origin(),
    UniqueConstraint("address", "target"),
    Index("aliases_target", "target"),
    Index("aliases_pattern", "id", sqlite_where=text("pattern"), postgresql_where=text("pattern")),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("address", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("expires", BigInteger),
    Column("given_by", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    _origin(),
    UniqueConstraint("account_id", "address"),
    Index("grants_address", "address"),
)

domains = Table(
    "domains",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # one of maysend.directory.domains.KINDS
    Column("created", BigInteger, nullable=False),
    _origin(),
)

lists = Table(
    "lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("note", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    _origin(),
    sqlite_autoincrement=True,
)

posters = Table(
    "posters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("list_id", ForeignKey("lists.id", ondelete="CASCADE"), nullable=False),
    Column("poster", Text, nullable=False),  # a login, "@domain", or a word of `lists.WORDS`
    UniqueConstraint("list_id", "poster"),
    Index("posters_poster", "poster"),
)

suspensions = Table(
    "suspensions",
    metadata,
    Column("subject", Text, primary_key=True),  # user@domain, @domain, or a network
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
    _origin(),
)
"""Senders and clients that are refused, whoever has logged in; logins are in `accounts`."""

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("source", Text, nullable=False, server_default=""),  # from where
    sqlite_autoincrement=True,
)

version = Table("version", metadata, Column("number", BigInteger, nullable=False))
"""One row, raised by every transaction that writes; what was read is good while it stands."""
