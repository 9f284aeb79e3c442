"""A worker as its supervisor sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping

import msgspec

from maysend.servers.metrics import Sample
from maysend.servers.processes.control import LONGEST_REPORT, ORDER, Order, Report


class WorkerFailed(Exception):
    """A worker that could not start; the text is what it said, or how it ended."""


def how_it_ended(status: int) -> str:
    """An exit status in words; a negative one is a signal's."""
    if status >= 0:
        return f"exit status {status}, what it said is above"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    hint = ", perhaps by the kernel for want of memory" if -status == signal.SIGKILL else ""
    return f"killed by {name}{hint}"


class RunningWorker:
    """A started worker process. `RunningWorker.start` makes one."""

    def __init__(self, number: int, process: asyncio.subprocess.Process) -> None:
        self.number = number
        self.process = process
        self.samples: tuple[Sample, ...] = ()
        self.problem = ""
        self.is_stopping = False
        self.started_at = self.heard_at = time.monotonic()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reports: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        number: int,
        configuration: str,
        sockets: Mapping[str, socket.socket],
        user: str = "",
        *,
        stamped: bool = True,
    ) -> "RunningWorker":
        """Start worker `number` (from 1), which becomes `user`. Raises OSError."""
        ours, theirs = socket.socketpair()
        passed = {name: sock.fileno() for name, sock in sockets.items()}
        order = Order(number, configuration, theirs.fileno(), passed, user, stamped)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "maysend.servers.processes.worker",
                env={**os.environ, ORDER: msgspec.json.encode(order).decode()},
                pass_fds=(theirs.fileno(), *passed.values()),
                stdin=asyncio.subprocess.DEVNULL,
            )
        worker = cls(number, process)
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=LONGEST_REPORT)
        worker._reports = asyncio.create_task(worker._listen(reader, writer))
        return worker

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    async def ready(self, patience: float) -> None:
        """Wait until it serves. Raises WorkerFailed."""
        try:
            async with asyncio.timeout(patience):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise WorkerFailed(f"worker {self.number} was not ready in {patience:g} s") from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        # Not through the process: in Python 3.11 that may reap it before asyncio does, which then
        # does not know how it ended (https://github.com/python/cpython/issues/87744).
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self) -> None:
        """Let it end what is under way."""
        self.is_stopping = True
        self.signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait until it has ended and has told all; its exit status, negative for a signal."""
        status = await self.process.wait()
        if self._reports is not None:
            await self._reports
        return status

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self._take(msgspec.json.decode(line, type=Report))
        except (OSError, ValueError) as problem:
            self.problem = f"worker {self.number} sent what is no report: {problem}"
        finally:
            writer.close()
            if not self._ready.done():
                self._fail(
                    f"worker {self.number} ended before it was ready: "
                    f"{how_it_ended(await self.process.wait())}"
                )

    def _take(self, report: Report) -> None:
        self.heard_at = time.monotonic()
        if report.failed:
            self._fail(report.failed)
        elif report.ready:
            self._ready.set_result(None)
        else:
            self.samples, self.problem = report.samples, report.problem

    def _fail(self, why: str) -> None:
        self._ready.set_exception(WorkerFailed(why))
        self._ready.exception()  # seen, even where nobody waits for it
