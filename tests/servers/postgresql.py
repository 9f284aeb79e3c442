"""A private PostgreSQL."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.servers.sql_server import SqlServer


class PostgreSql(SqlServer):
    """PostgreSQL with the account `postfix`, password `s3cret-pw`, for everything."""

    user = "postgres"
    program = "postgres"

    @property
    def socket(self) -> str:
        """The directory of its socket, under the name of the usual port.

        Postfix can't be told another port for a socket, and a server of its own one must have.
        """
        return str(self.directory / "socket")

    def create(self) -> None:
        data = str(self.directory / "data")
        initdb = [
            _binary("initdb"), f"--pgdata={data}", "--username=postgres", "--no-sync",
            "--auth=scram-sha-256", "--auth-local=trust", "--encoding=UTF8", "--locale=C",
            "--no-instructions",
        ]  # fmt: skip
        done = subprocess.run(self.as_user(initdb), capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        # Passwords count on the socket too, but not for the administrator.
        (self.directory / "data" / "pg_hba.conf").write_text(
            "local all postgres trust\n"
            "local all all scram-sha-256\n"
            "host all all all scram-sha-256\n"
        )
        link = Path(self.socket, ".s.PGSQL.5432")
        link.parent.mkdir()
        link.symlink_to(self.directory / f".s.PGSQL.{self.port}")
        self.start()
        self.execute("CREATE ROLE postfix LOGIN SUPERUSER PASSWORD 's3cret-pw'")

    def command(self) -> Sequence[str]:
        settings = {
            "unix_socket_directories": str(self.directory), "listen_addresses": "127.0.0.1",
            "port": str(self.port), "fsync": "off", "shared_buffers": "16MB",
        }  # fmt: skip
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [_binary("postgres"), "-D", str(self.directory / "data"), *options]

    def is_ready(self) -> bool:
        return self._client("SELECT 1", "postgres").returncode == 0

    def execute(self, statements: str, database: str = "") -> str:
        done = self._client(statements, database or "postgres")
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode("utf-8")

    def _client(self, statements: str, database: str) -> subprocess.CompletedProcess[bytes]:
        command = [
            _binary("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-h", self.socket, "-U", "postgres", database,
        ]  # fmt: skip
        return subprocess.run(command, input=statements.encode(), capture_output=True, check=False)


def _binary(name: str) -> str:
    """A program of the newest PostgreSQL; Debian keeps those of the server off the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name) or name
