"""The sample site: a directory with accounts, the gateway, and a sink as its next hop."""

import errno
from collections.abc import Callable
from pathlib import Path

from maysend.demo.certificate import make_certificate
from maysend.directory import Directory
from maysend.policy import Policy
from maysend.servers.sink import Sink, SunkMessage
from maysend.servers.submission import Gateway, GatewaySettings, NextHop, directory_logins

PASSWORD = "demo"
"""Of every sample account: nothing here is worth protecting, and nothing leaves the machine."""

ALICE = "alice@example.com"
BOB = "bob@example.com"
ADMIN = "admin@example.com"
MALLORY = "mallory@example.com"
SHARED = "sales@example.com"
SUSPENSION = "account suspended: unpaid bill, please call 555-0100"
USUAL_PORT = 2587


def fill(directory: Directory) -> None:
    """Add the sample accounts, an alias, a grant and a suspension."""
    for login in (ALICE, BOB, ADMIN, MALLORY):
        directory.accounts.add(login, PASSWORD)
    directory.aliases.add(SHARED, [BOB])
    directory.grants.add(ADMIN, "@example.com", note="may send as anyone in the domain")
    directory.accounts.suspend(MALLORY, SUSPENSION)


class Site:
    """Everything that `maysend demo` runs, with its files in `folder`.

    `log` is told each of the gateway's log lines, `arrived` each message that reached the sink.
    """

    def __init__(
        self,
        folder: Path,
        log: Callable[[str], None],
        arrived: Callable[[SunkMessage], None] | None = None,
    ) -> None:
        self.certificate = folder / "certificate.pem"
        self.config = folder / "maysend.toml"
        self.message = folder / "message.txt"
        self.sink = Sink(arrived=arrived)
        self.gateway: Gateway | None = None
        self._log = log
        self._tls = make_certificate(self.certificate, folder / "key.pem")
        self.config.write_text('directory = "sqlite:///directory.db"\n')
        self.message.write_text(
            f"From: {BOB}\nTo: friend@example.net\nSubject: Hello\n\nSent through maysend demo.\n"
        )
        self._directory = Directory.open(folder / "directory.db", actor="demo")
        fill(self._directory)

    @property
    def port(self) -> int:
        """Where the gateway listens."""
        if self.gateway is None:
            raise RuntimeError("the site has not been started")
        return self.gateway.port

    async def start(self, port: int | None = None, sink_port: int = 0) -> None:
        """Start sink and gateway. Without `port` it is 2587, or any where that is taken.

        Raises OSError where a port that was asked for is taken.
        """
        await self.sink.start(port=sink_port)
        try:
            await self._start_gateway(USUAL_PORT if port is None else port)
        except OSError as problem:
            if port is not None or problem.errno != errno.EADDRINUSE:
                await self.sink.stop()
                raise
            await self._start_gateway(0)

    async def stop(self) -> None:
        """Stop in good order: what is under way may end."""
        if self.gateway is not None:
            await self.gateway.stop()
        await self.sink.stop()
        self._directory.close()

    async def _start_gateway(self, port: int) -> None:
        gateway = Gateway(
            GatewaySettings(
                hostname="localhost",
                next_hops=(NextHop("127.0.0.1", self.sink.port),),
                port=port,
                tls=self._tls,
            ),
            Policy.builtin(self._directory.table_types()),
            directory_logins(self._directory, log=self._log),
            self._log,
        )
        await gateway.start()
        self.gateway = gateway
