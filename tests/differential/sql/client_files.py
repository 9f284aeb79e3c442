"""The files that mysql: and pgsql: tables name."""

from collections.abc import Mapping
from pathlib import Path

from tests.servers.mariadb import MariaDb
from tests.servers.postgresql import PostgreSql
from tests.servers.sql_server import SqlServer

PASSWORD = "s3cret-pw"


def spec_of(server: SqlServer) -> str:
    """The table type that asks this server."""
    return "mysql" if isinstance(server, MariaDb) else "pgsql"


def socket_of(server: MariaDb | PostgreSql) -> str:
    """Its socket, as `hosts` has it."""
    return f"unix:{server.socket}"


def written(path: Path, server: MariaDb | PostgreSql, parameters: Mapping[str, str]) -> str:
    """Write the file of a table that asks `server`, and return the table's `type:name`."""
    usual = {
        "hosts": socket_of(server), "user": "postfix", "password": PASSWORD, "dbname": "mail",
    }  # fmt: skip
    text = "".join(f"{name} = {value}\n" for name, value in (usual | dict(parameters)).items())
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return f"{spec_of(server)}:{path}"
