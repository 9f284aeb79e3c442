"""Lists, suspensions of all kinds and for a time, kinds of domains, patterns, origins."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_WITH_ORIGIN = ("accounts", "aliases", "grants", "domains")


def upgrade() -> None:
    """Add the tables and columns; what was a managed domain or not becomes its kind."""
    _replace_managed_by_kind()
    for table in _WITH_ORIGIN:
        op.add_column(table, _origin())
    op.add_column("accounts", sa.Column("suspended_until", sa.BigInteger))
    op.add_column(
        "aliases", sa.Column("pattern", sa.Boolean, nullable=False, server_default=sa.false())
    )
    only = sa.text("pattern")
    op.create_index("aliases_pattern", "aliases", ["id"], sqlite_where=only, postgresql_where=only)
    op.add_column("audit", sa.Column("source", sa.Text, nullable=False, server_default=""))
    _create_lists()
    op.create_table(
        "suspensions",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger),
        _origin(),
    )


def _origin() -> "sa.Column[str]":
    return sa.Column("origin", sa.Text, nullable=False, server_default="")


def _replace_managed_by_kind() -> None:
    op.add_column("domains", sa.Column("kind", sa.Text, nullable=False, server_default="managed"))
    op.execute("UPDATE domains SET kind = 'send-only' WHERE NOT managed")
    op.drop_column("domains", "managed")


def _create_lists() -> None:
    op.create_table(
        "lists",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("address", sa.Text, nullable=False, unique=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        _origin(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "posters",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "list_id", sa.Integer, sa.ForeignKey("lists.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("poster", sa.Text, nullable=False),
        sa.UniqueConstraint("list_id", "poster"),
    )
    op.create_index("posters_poster", "posters", ["poster"])
