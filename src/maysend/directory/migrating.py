"""Bringing a database to the newest schema (Alembic's migrations, shipped in the package)."""

from pathlib import Path

from sqlalchemy import Connection, inspect

from maysend.directory.errors import DirectoryError

NEWEST_SCHEMA = "0002"
"""The last migration under migrations/versions; a test holds the two together."""


def schema_of(connection: Connection, place: str) -> str | None:
    """The migration that the database is at, None for an empty one.

    DirectoryError for a database of something else, or of a newer maysend; `place` names it.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if "alembic_version" not in tables or "accounts" not in tables:
        raise DirectoryError(f"{place} is a database of something else, not a maysend directory")
    found: str = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if found > NEWEST_SCHEMA:
        raise DirectoryError(
            f"{place} was written by a newer maysend (schema {found}, this one knows "
            f"{NEWEST_SCHEMA}): upgrade maysend"
        )
    return found


def run_migrations(connection: Connection, to: str = "head") -> None:
    """Run what is missing up to the migration `to`, in `connection`'s transaction."""
    # Alembic takes a tenth of a second to import and is needed once in a directory's life.
    from alembic import command
    from alembic.config import Config

    migrations = Path(__file__).parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)
