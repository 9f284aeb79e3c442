"""The process of `maysend serve` itself: sockets, workers, signals, metrics.

- SIGTERM and SIGINT: accept nothing more, let what is under way end, then stop.
- SIGHUP: read maysend.toml again; new workers serve it before the old ones stop. A configuration
  that can't be used is told and changes nothing.
- SIGUSR1: write the logs out. They follow their file's name by themselves.
"""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from maysend.servers.configuration import Configuration, ListenerSettings
from maysend.servers.log import Log
from maysend.servers.metrics import Metrics, Sample, added, that_last
from maysend.servers.processes.configured import (
    CannotServe,
    configuration_to_serve,
    privileges_left,
)
from maysend.servers.processes.followed import followed
from maysend.servers.processes.notify import notify
from maysend.servers.processes.running_worker import RunningWorker, WorkerFailed, how_it_ended
from maysend.servers.processes.sockets import (
    ListenerSockets,
    SocketError,
    handed_over,
    inherited_for,
    why_not,
)
from maysend.servers.processes.web import Web

if TYPE_CHECKING:
    from maysend.servers.processes.following import Following

START = 60.0
"""Seconds that a worker has to become ready."""

SILENCE = 10.0
"""Seconds without a report after which a worker counts as stuck."""

KILLED_AFTER = 60.0
"""Seconds without a report after which a stuck worker is ended, so that another takes over."""

QUICK_DEATH = 5.0
LONGEST_PAUSE = 30.0
"""Seconds: who dies sooner after its start than the first is replaced later and later."""

EXTRA_GRACE = 5.0


class Supervisor:
    """Serves the configuration in `file`. `environment` is the process's: systemd speaks there.

    `follow` is a docker-mailserver's folder that counts in place of the file's.
    """

    def __init__(
        self, file: Path, environment: Mapping[str, str], follow: Path | None = None
    ) -> None:
        self._file = file
        self._follow = follow
        self._notify_address = environment.get("NOTIFY_SOCKET", "")
        self._stamped = "JOURNAL_STREAM" not in environment
        self._handed_over = handed_over(environment, os.getpid())
        self._sockets: dict[str, ListenerSockets] = {}
        self._workers: list[RunningWorker] = []
        self._watches: set[asyncio.Task[None]] = set()
        self._gone: list[Sample] = []
        self._web: Web | None = None
        self._following: Following | None = None
        self._stopping = asyncio.Event()
        self._metrics = Metrics()
        self._restarts = self._metrics.counter(
            "maysend_worker_restarts_total", "Workers that died and were replaced."
        )
        self._running = self._metrics.gauge("maysend_workers", "Worker processes that serve.")

    async def run(self) -> None:
        """Serve until SIGTERM. Raises CannotServe."""
        self._configuration = configuration_to_serve(self._file, self._follow)
        self._log = Log("maysend", self._configuration.log.format, stamped=self._stamped)
        loop = asyncio.get_running_loop()
        reloaded = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, reloaded.set)
        loop.add_signal_handler(signal.SIGUSR1, self._pass_on, signal.SIGUSR1)
        try:
            is_started = await self._start_unless_stopped()
        except CannotServe:
            await self._stop()
            raise
        if not is_started:
            await self._stop()
            self._log("stopped before it was ready")
            return
        try:
            self._notify("READY=1")
            self._log(f"ready: {self._description()}, pid {os.getpid()}")
            if warning := privileges_left(self._configuration):
                self._log(warning)
            watching = asyncio.create_task(self._watch_silence())
            while not await _first(self._stopping, reloaded):
                reloaded.clear()
                await self._reload()
            watching.cancel()
        finally:
            self._notify("STOPPING=1")
            await self._stop()
            self._log("stopped")

    # -- starting ------------------------------------------------------------------------------

    async def _start_unless_stopped(self) -> bool:
        """Start; False where SIGTERM came first. A terminal's or timeout(1)'s goes to the workers
        too, and one that ends for that reason has not failed. Raises CannotServe."""
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not self._stopping.is_set():
            stopping.cancel()
            starting.result()
            return True
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        return False

    async def _start(self) -> None:
        configuration = self._configuration
        self._sockets = self._opened(configuration)
        await self._start_web(configuration)
        self._following = await followed(self._following, configuration, self._log)
        self._workers = await self._started(configuration)
        self._running.value = len(self._workers)

    def _opened(self, configuration: Configuration) -> dict[str, ListenerSockets]:
        """The sockets of all listeners: those that are open already, and new ones."""
        opened: dict[str, ListenerSockets] = {}
        try:
            for settings in configuration.listeners:
                known = self._sockets.get(_key(settings, configuration))
                opened[_key(settings, configuration)] = known or ListenerSockets(
                    settings, configuration.workers, inherited_for(settings, self._handed_over)
                )
        except SocketError as problem:
            for key, sockets in opened.items():
                if key not in self._sockets:
                    sockets.close()
            raise CannotServe(str(problem)) from None
        self._warn_of_unserved(configuration)
        return opened

    def _warn_of_unserved(self, configuration: Configuration) -> None:
        """Who connects to a socket that systemd opened and no listener has would wait for ever."""
        served = [inherited_for(each, self._handed_over) for each in configuration.listeners]
        for sock in self._handed_over:
            if sock not in served:
                self._log(f"warning: systemd opened {sock.getsockname()}: no listener has it")

    async def _start_web(self, configuration: Configuration) -> None:
        address = configuration.metrics_address
        if address is None:
            return
        web = Web(self._samples, self._problem)
        try:
            await web.start(address)
        except OSError as problem:
            raise CannotServe(f"metrics: {address}: {why_not(problem, address)}") from None
        self._web = web

    async def _started(self, configuration: Configuration) -> list[RunningWorker]:
        """All workers, ready. Where one can't start, none does."""
        workers: list[RunningWorker] = []
        try:
            for number in range(1, configuration.workers + 1):
                workers.append(await self._start_worker(number, configuration))
            await asyncio.gather(*(worker.ready(START) for worker in workers))
        except (WorkerFailed, OSError, asyncio.CancelledError) as problem:
            for worker in workers:
                worker.is_stopping = True
                worker.signal(signal.SIGKILL)
            if isinstance(problem, asyncio.CancelledError):
                raise
            raise CannotServe(str(problem)) from None
        return workers

    async def _start_worker(self, number: int, configuration: Configuration) -> RunningWorker:
        sockets = {
            settings.name: self._sockets[_key(settings, configuration)].of_worker(number - 1)
            for settings in configuration.listeners
        }
        worker = await RunningWorker.start(
            number, str(self._file.absolute()), sockets, configuration.user, stamped=self._stamped
        )
        watch = asyncio.create_task(self._watch(worker))
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)
        return worker

    # -- while it runs -------------------------------------------------------------------------

    async def _watch(self, worker: RunningWorker) -> None:
        """Wait for the end of a worker; where nobody asked for it, start another."""
        status = await worker.ended()
        self._gone = added([*self._gone, *that_last(worker.samples)])
        worker.samples = ()
        if worker.is_stopping or worker not in self._workers:
            return
        self._log(f"error: worker {worker.number} (pid {worker.pid}) died: {how_it_ended(status)}")
        self._workers.remove(worker)
        self._running.value = len(self._workers)
        await self._replace(worker)

    async def _replace(self, worker: RunningWorker) -> None:
        pause = 0.0 if time.monotonic() - worker.started_at > QUICK_DEATH else 1.0
        while not self._stopping.is_set():
            await asyncio.sleep(pause)
            pause = min(max(1.0, 2 * pause), LONGEST_PAUSE)
            try:
                successor = await self._start_worker(worker.number, self._configuration)
                await successor.ready(START)
            except (WorkerFailed, OSError) as problem:
                self._log(f"error: worker {worker.number} can't start: {problem}")
                continue
            self._workers.append(successor)
            self._running.value = len(self._workers)
            self._restarts.value += 1
            self._log(f"worker {worker.number} is replaced: pid {successor.pid}")
            return

    async def _watch_silence(self) -> None:
        """End a worker whose loop has stood still for long."""
        while True:
            await asyncio.sleep(SILENCE)
            for worker in self._workers:
                silence = time.monotonic() - worker.heard_at
                if silence > KILLED_AFTER:
                    self._log(f"error: worker {worker.number} is stuck for {silence:.0f} s: killed")
                    worker.signal(signal.SIGKILL)

    async def _reload(self) -> None:
        """Serve what maysend.toml says now, with new workers; or go on as before."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        before = self._sockets
        try:
            configuration = configuration_to_serve(self._file, self._follow)
            self._sockets = self._opened(configuration)
            self._following = await followed(self._following, configuration, self._log)
            workers = await self._started(configuration)
        except CannotServe as problem:
            for key, sockets in self._sockets.items():
                if key not in before:
                    sockets.close()
            self._sockets = before
            self._log(f"error: {problem}; the configuration before is still served")
        else:
            old, self._workers, self._configuration = self._workers, workers, configuration
            self._running.value = len(workers)
            for worker in old:
                worker.stop()
            for key, sockets in before.items():
                if key not in self._sockets:
                    sockets.close()
            self._log(f"reloaded: {self._description()}")
        self._notify("READY=1")

    # -- stopping ------------------------------------------------------------------------------

    async def _stop(self) -> None:
        self._stopping.set()
        for worker in self._workers:
            worker.stop()
        # Who comes now is told so by the kernel, and does not wait until the last worker has ended.
        for sockets in self._sockets.values():
            sockets.close()
        if self._watches:
            grace = self._configuration.grace + EXTRA_GRACE
            _, late = await asyncio.wait(self._watches, timeout=grace)
            if late:
                self._log("warning: some workers did not end in time and are killed")
                for worker in self._workers:
                    worker.signal(signal.SIGKILL)
        if self._web is not None:
            self._web.stop()
        if self._following is not None:
            await asyncio.to_thread(self._following.stop)

    # -- what is told --------------------------------------------------------------------------

    def _samples(self) -> list[Sample]:
        of_workers = [sample for worker in self._workers for sample in worker.samples]
        return added([*self._metrics.samples(), *self._gone, *of_workers])

    def _problem(self) -> str:
        """What is wrong, for /healthz."""
        if self._stopping.is_set():
            return "stopping"
        missing = self._configuration.workers - len(self._workers)
        if missing:
            return f"{missing} of {self._configuration.workers} workers are not running"
        for worker in self._workers:
            if time.monotonic() - worker.heard_at > SILENCE:
                return f"worker {worker.number} is stuck"
            if worker.problem:
                return worker.problem
        if self._following is not None and self._following.problem:
            return f"docker-mailserver: {self._following.problem}"
        return ""

    def _description(self) -> str:
        listeners = self._configuration.listeners
        served = ", ".join(f"{settings.name} on {self._where(settings)}" for settings in listeners)
        if self._web is not None:
            served += f", metrics on port {self._web.port}"
        count = self._configuration.workers
        return f"{served}; {count} worker{'s' * (count != 1)}"

    def _where(self, settings: ListenerSettings) -> str:
        """The address, with the real port where the configuration asks for any."""
        if not settings.address.endswith(":0"):
            return settings.address
        sock = self._sockets[_key(settings, self._configuration)].sockets[0]
        return f"{settings.address[:-1]}{sock.getsockname()[1]}"

    def _pass_on(self, number: signal.Signals) -> None:
        for worker in self._workers:
            worker.signal(number)

    def _notify(self, state: str) -> None:
        try:
            notify(self._notify_address, state)
        except OSError as problem:
            self._log(f"warning: systemd could not be told {state.split()[0]}: {problem.strerror}")


def _key(settings: ListenerSettings, configuration: Configuration) -> str:
    """What a socket is known by: with another number of workers, `inet:` needs other sockets."""
    if settings.endpoint.path:
        return settings.address
    whose = "" if settings.endpoint.port else f"{settings.name} "  # port 0: any, each another
    return f"{whose}{settings.address} for {configuration.workers}"


async def _first(one: asyncio.Event, other: asyncio.Event) -> bool:
    """Wait for either; whether it was `one`."""
    waits = [asyncio.create_task(one.wait()), asyncio.create_task(other.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    return one.is_set()
