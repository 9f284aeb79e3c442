"""A private MariaDB."""

import subprocess
from collections.abc import Sequence

from tests.servers.sql_server import SqlServer


class MariaDb(SqlServer):
    """MariaDB with the account `postfix`, password `s3cret-pw`, for everything."""

    user = "mysql"
    program = "mariadbd"

    @property
    def socket(self) -> str:
        """The path of its socket."""
        return str(self.directory / "socket")

    def create(self) -> None:
        install = [
            "mariadb-install-db", "--no-defaults", f"--datadir={self.directory / 'data'}",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        ]  # fmt: skip
        done = subprocess.run(self.as_user(install), capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        self.start()
        for host in ("localhost", "127.0.0.1"):
            self.execute(
                f"CREATE USER postfix@'{host}' IDENTIFIED BY 's3cret-pw';"
                f"GRANT ALL ON *.* TO postfix@'{host}'"
            )

    def command(self) -> Sequence[str]:
        return (
            "mariadbd", "--no-defaults", f"--datadir={self.directory / 'data'}",
            f"--socket={self.socket}", f"--pid-file={self.directory / 'pid'}",
            "--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve",
            "--skip-log-bin", "--performance-schema=OFF", "--innodb-buffer-pool-size=16M",
            "--innodb-flush-log-at-trx-commit=2", f"--tmpdir={self.directory}",
        )  # fmt: skip

    def is_ready(self) -> bool:
        return self._client("SELECT 1").returncode == 0

    def execute(self, statements: str, database: str = "") -> str:
        done = self._client(statements, database)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode("utf-8")

    def _client(self, statements: str, database: str = "") -> subprocess.CompletedProcess[bytes]:
        command = [
            "mariadb", "--no-defaults", "--skip-column-names", "--default-character-set=utf8mb4",
            f"--socket={self.socket}", "--user=root", *([database] if database else []),
        ]  # fmt: skip
        return subprocess.run(command, input=statements.encode(), capture_output=True, check=False)
