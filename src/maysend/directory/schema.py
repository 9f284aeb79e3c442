"""The tables of the directory's database, as the newest migration leaves them.

Times are seconds since 1970 (UTC), which every database keeps and compares alike. Names are
stored in the form of `addresses`, so plain equality is the only comparison that SQL makes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

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
    Column("scope", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
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
    UniqueConstraint("address", "target"),
    Index("aliases_target", "target"),
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
    UniqueConstraint("account_id", "address"),
    Index("grants_address", "address"),
)

domains = Table(
    "domains",
    metadata,
    Column("domain", Text, primary_key=True),
    Column("managed", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)

version = Table("version", metadata, Column("number", BigInteger, nullable=False))
"""One row, raised by every transaction that writes; what was read is good while it stands."""
