"""The gateway as a whole: listens, starts a dialogue for each client, stops in good order."""

import asyncio
import time
from collections.abc import Callable

from maysend.policy import Policy
from maysend.reply import Reply
from maysend.servers.deciding import Deciding
from maysend.servers.submission.channel import Channel, read_buffer
from maysend.servers.submission.dialogue import Dialogue
from maysend.servers.submission.logins import Logins
from maysend.servers.submission.services import Services
from maysend.servers.submission.settings import GatewaySettings
from maysend.servers.submission.traffic import Traffic
from maysend.servers.threads import BoundedThreads

TOO_MANY = Reply(421, "4.7.0", "Error: too many connections")


class Gateway:
    """A submission listener in front of a next hop.

    `logins` says who a client is; `log` takes one line; `traffic` is given where several listeners
    count together. Nothing runs before `start`. Raises MainCfError where the policy's main.cf says
    of SASL what smtpd would not start with.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        policy: Policy,
        logins: Logins,
        log: Callable[[str], None],
        traffic: Traffic | None = None,
    ) -> None:
        self._settings = settings
        self.traffic = traffic or Traffic(settings.limits.guesses, time.monotonic)
        self._threads = BoundedThreads(settings.limits.decision_threads, name="decisions")
        deciding = Deciding(self._threads, log)
        self._services = Services(settings, policy, logins, deciding, self.traffic, log)
        self._dialogues: dict[asyncio.Task[None], Dialogue] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._probe: asyncio.Task[None] | None = None
        self.read_buffer = read_buffer()

    @property
    def port(self) -> int:
        """The port that is listened on: the real one where the settings said 0."""
        if self._server is None:
            raise RuntimeError("the gateway has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Learn what the next hop offers, then listen. Raises OSError where that can't be."""
        await self._first_probe()
        settings = self._settings
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Reception(self),
            settings.host,
            settings.port,
            ssl=settings.tls if settings.tls_wrapper else None,
        )
        self._probe = asyncio.create_task(self._services.keep_probing())

    async def _first_probe(self) -> None:
        """A next hop that takes its time does not keep us from listening."""
        try:
            async with asyncio.timeout(self._settings.timeouts.first_probe):
                await self._services.probe()
        except TimeoutError:
            self._services.log(f"warning: next hop {self._settings.next_hops[0]} is slow to answer")

    async def stop(self) -> None:
        """Take no more clients; what is under way may end within `shutdown_grace` seconds."""
        if self._server is not None:
            self._server.close()
        if self._probe is not None:
            self._probe.cancel()
        for dialogue in self._dialogues.values():
            dialogue.stop()
        tasks = list(self._dialogues)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._settings.timeouts.shutdown_grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._threads.close()

    def receive(self, channel: Channel) -> None:
        """Serve a client that has connected."""
        if len(self._dialogues) >= self._settings.limits.connections:
            channel.say(TOO_MANY)
            closing = asyncio.create_task(channel.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            return
        dialogue = Dialogue(channel, self._services)
        served = asyncio.create_task(self._serve(dialogue))
        self._dialogues[served] = dialogue
        served.add_done_callback(self._dialogues.pop)

    async def _serve(self, dialogue: Dialogue) -> None:
        try:
            await dialogue.run()
        except Exception as problem:  # one client's trouble is not the others'
            self._services.log(f"error: dialogue ended by {type(problem).__name__}: {problem}")


class Reception(Channel):
    """A channel that reports to the gateway when it is connected."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway.read_buffer)
        self._gateway = gateway

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the dialogue."""
        super().connection_made(transport)
        self._gateway.receive(self)
