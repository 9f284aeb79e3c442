"""The gateway as a whole: listens, starts a dialogue for each client, stops in good order."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

from maysend.policy import Policy
from maysend.protocols.proxy_protocol import Proxied
from maysend.reply import Reply
from maysend.servers.deciding import Deciding, FixedPolicy, PolicyInUse
from maysend.servers.submission.channel import Channel, ClientGone, read_buffer
from maysend.servers.submission.dialogue import Dialogue
from maysend.servers.submission.logins import Logins
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.services import Services
from maysend.servers.submission.settings import GatewaySettings, is_within
from maysend.servers.submission.traffic import Traffic
from maysend.servers.submission.wires import ClientWire
from maysend.servers.threads import BoundedThreads

BACKLOG = 1024
"""Connections that the kernel keeps until they are taken."""

TOO_MANY = Reply(421, "4.7.0", "Error: too many connections")


class Gateway:
    """A submission listener in front of a next hop.

    `policy` is asked for each connection which policy is in use; `logins` says who a client is;
    `log` takes one line; `traffic` is given where several listeners count together. Nothing runs
    before `start`. Raises MainCfError where the policy's main.cf says of SASL what smtpd would not
    start with.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        policy: Policy | PolicyInUse,
        logins: Logins,
        log: Callable[[str], None],
        traffic: Traffic | None = None,
    ) -> None:
        self._settings = settings
        self.traffic = traffic or Traffic(time.monotonic)
        self._threads = BoundedThreads(settings.limits.decision_threads, name="decisions")
        deciding = Deciding(self._threads, log)
        in_use = FixedPolicy(policy) if isinstance(policy, Policy) else policy
        self._services = Services(settings, in_use, logins, deciding, self.traffic, log)
        self._served: dict[asyncio.Task[None], Dialogue | None] = {}
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

    async def start(self, sock: socket.socket | None = None) -> None:
        """Learn what the next hop offers, then listen. Raises OSError where that can't be.

        `sock` is one that listens already, in place of host and port of the settings.
        """
        await self._first_probe()
        settings = self._settings
        where: dict[str, Any] = {"host": settings.host, "port": settings.port}
        if sock is not None:
            where = {"sock": sock}
        self._server = await asyncio.get_running_loop().create_server(
            lambda: ClientWire(self.read_buffer, self.receive),
            **where,
            # A PROXY header comes before TLS, which is then begun when it was read.
            ssl=settings.tls if settings.tls_wrapper and not settings.proxy_from else None,
            backlog=BACKLOG,
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
        tasks = list(self._served)
        for task, dialogue in list(self._served.items()):
            if dialogue is None:
                task.cancel()
            else:
                dialogue.stop()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._settings.timeouts.shutdown_grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._threads.close()

    def receive(self, channel: Channel) -> None:
        """Serve a client that has connected."""
        if is_within(channel.peer(), self._settings.proxy_from):
            channel.expect_proxy()
        served = asyncio.create_task(self._serve(channel))
        self._served[served] = None
        served.add_done_callback(self._served.pop)

    async def _serve(self, channel: Channel) -> None:
        try:
            ends = await self._ends_of(channel)
        except (ClientGone, TimeoutError):
            self._services.log(f"warning: no PROXY header from {channel.peer()}")
            await channel.close(linger=0.1)
            return
        try:
            await self._admitted(channel, ends)
        except Exception as problem:  # one client's trouble is not the others'
            self._services.log(f"error: dialogue ended by {type(problem).__name__}: {problem}")
        finally:
            # XCLIENT changes the dialogue's peer; what was counted is the connection's own.
            self.traffic.closed(ends.client_address)

    async def _ends_of(self, channel: Channel) -> Proxied:
        """Both ends of the connection; count it in. Raises ClientGone, TimeoutError."""
        ends = channel.ends()
        if channel.is_proxied:
            said = await channel.proxied(self._settings.timeouts.smtpd_proxy_timeout)
            ends = said if said.client_address else ends
        self.traffic.opened(ends.client_address)
        return ends

    async def _admitted(self, channel: Channel, ends: Proxied) -> None:
        refusal = self._too_many(ends.client_address)
        if refusal is not None:
            self.traffic.counts.connections_refused += 1
            self._services.log(f"warning: {refusal.text}")
            channel.say(refusal)
            await channel.close()
            return
        peer = Peer(
            ends.client_address,
            port=str(ends.client_port or ""),
            server_address=ends.server_address,
            server_port=str(ends.server_port or ""),
        )
        dialogue = Dialogue(channel, self._services, peer)
        task = asyncio.current_task()
        assert task is not None
        self._served[task] = dialogue
        await dialogue.run()

    def _too_many(self, address: str) -> Reply | None:
        limits, traffic = self._settings.limits, self.traffic
        if traffic.counts.connections_open > limits.connections:
            return TOO_MANY
        most = limits.smtpd_client_connection_count_limit
        free = is_within(address, limits.smtpd_client_event_limit_exceptions)
        if most and not free and traffic.open_from(address) > most:
            text = f"{self._settings.hostname} Error: too many connections from {address}"
            return Reply(421, "4.7.0", text)
        return None
