"""Accounts, aliases, grants, domains, the audit trail and the version row."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    _create_accounts()
    _create_aliases()
    _create_grants()
    op.create_table(
        "domains",
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("managed", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    version = op.create_table("version", sa.Column("number", sa.BigInteger, nullable=False))
    op.bulk_insert(version, [{"number": 1}])


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("login", sa.Text, nullable=False, unique=True),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("suspended_reason", sa.Text),
        sa.Column("suspended_by", sa.Text),
        sa.Column("suspended_at", sa.BigInteger),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("accounts_domain", "accounts", ["domain"])


def _create_aliases() -> None:
    op.create_table(
        "aliases",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("send", sa.Boolean, nullable=False),
        sa.Column("receive", sa.Boolean, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("address", "target"),
    )
    op.create_index("aliases_target", "aliases", ["target"])


def _create_grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "account_id",
            sa.Integer,
            sa.ForeignKey("accounts.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("expires", sa.BigInteger),
        sa.Column("given_by", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("account_id", "address"),
    )
    op.create_index("grants_address", "grants", ["address"])
