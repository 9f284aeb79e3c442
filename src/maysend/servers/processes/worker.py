"""One worker process: serves every listener on the sockets that it was handed.

    MAYSEND_WORKER='{"number":1,…}' python -m maysend.servers.processes.worker

SIGTERM lets what is under way end; SIGUSR1 writes the logs out.
"""

import asyncio
import gc
import os
import pwd
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
import uvloop

from maysend.directory import DirectoryError
from maysend.maincf import MainCfError
from maysend.policy import PolicyError
from maysend.servers.configuration import Configuration, ConfigurationError, read_configuration
from maysend.servers.kinds import open_listener, settings_by_kind
from maysend.servers.listener import Listener
from maysend.servers.log import Log
from maysend.servers.metrics import Metrics
from maysend.servers.processes.control import ORDER, Order, Report
from maysend.servers.worker_site import WorkerSite

REPORT = 1.0
"""Seconds between two reports to the supervisor."""

EX_CONFIG = 78


class Worker:
    """Runs until SIGTERM, or until the supervisor is gone."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._control = socket.socket(fileno=order.control)
        self._metrics = Metrics()
        self._listeners: list[Listener] = []

    async def run(self) -> int:
        """The exit status: 0, or 78 where the configuration asks for what can't be."""
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stopped.set)
        for ignored in (signal.SIGINT, signal.SIGHUP):  # a terminal's go to all its processes
            loop.add_signal_handler(ignored, lambda: None)
        reader, self._writer = await asyncio.open_unix_connection(sock=self._control)
        try:
            become(self._order.user)
            configuration = read_configuration(Path(self._order.configuration), settings_by_kind())
            site = await self._started(configuration)
        except (ConfigurationError, DirectoryError, PolicyError, MainCfError, OSError) as problem:
            await self._report(Report(failed=f"{_told(problem)}{_as_whom(self._order.user)}"))
            return EX_CONFIG
        except Exception as problem:
            await self._report(Report(failed=f"{type(problem).__name__}: {problem}"))
            raise
        loop.add_signal_handler(signal.SIGUSR1, site.decision_log.flush)
        settle()
        await self._report(Report(ready=True))
        tasks = [
            asyncio.create_task(site.keep()),
            asyncio.create_task(self._keep_reporting(site)),
        ]
        gone = asyncio.create_task(_until_closed(reader, stopped))
        await stopped.wait()
        await asyncio.gather(*(listener.stop(configuration.grace) for listener in self._listeners))
        for task in (*tasks, gone):
            task.cancel()
        await self._report(Report(samples=tuple(self._metrics.samples())))
        site.close()
        return 0

    async def _started(self, configuration: Configuration) -> WorkerSite:
        name = f"maysend[{self._order.number}]"
        log = Log(name, configuration.log.format, stamped=self._order.stamped)
        site = WorkerSite(configuration, log, self._metrics)
        opened = [(settings, open_listener(settings, site)) for settings in configuration.listeners]
        for settings, listener in opened:
            await listener.start(socket.socket(fileno=self._order.sockets[settings.name]))
            self._listeners.append(listener)
        return site

    async def _keep_reporting(self, site: WorkerSite) -> None:
        while True:
            await asyncio.sleep(REPORT)
            samples = tuple(self._metrics.samples())
            await self._report(Report(problem=site.problem, samples=samples))

    async def _report(self, report: Report) -> None:
        try:
            self._writer.write(msgspec.json.encode(report) + b"\n")
            await self._writer.drain()
        except OSError:
            pass  # the supervisor is gone: the end of its socket says so


def _told(problem: Exception) -> str:
    """In words: an OSError's own are "[Errno 2] No such file or directory: '/x'"."""
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{os.fsdecode(problem.filename)}: {problem.strerror}"
    return str(problem)


def _as_whom(user: str) -> str:
    """Who could not: what root may read, the user that the workers become may not."""
    return f" (as user {user})" if user else ""


async def _until_closed(reader: asyncio.StreamReader, stopped: asyncio.Event) -> None:
    await reader.read()
    stopped.set()


def become(user: str) -> None:
    """Give up root: from here on this process may do what `user` may. Raises OSError."""
    if not user:
        return
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def settle() -> None:
    """What was made at the start stays: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _allow_all_files() -> None:
    """A shell's soft limit is 1024, and a client of the gateway takes two: the next hop's too."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main() -> int:
    """Serve as the environment orders."""
    _allow_all_files()
    order = msgspec.json.decode(os.environ.pop(ORDER), type=Order)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Worker(order).run())


if __name__ == "__main__":
    sys.exit(main())
