"""A bounded pool of threads for what may wait: password hashes, slow tables.

Who finds no free thread within `patience` seconds is told so (`NoFreeThread`) instead of joining
a queue that grows: the caller then answers 4xx.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class NoFreeThread(Exception):
    """All threads stayed busy for as long as the caller was willing to wait."""


class BoundedThreads:
    """At most `threads` calls at a time, each begun within `patience` seconds or not at all."""

    def __init__(self, threads: int = 4, patience: float = 2.0, name: str = "maysend") -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = asyncio.Semaphore(threads)
        self._patience = patience

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call `function` in a thread. Raises NoFreeThread, and what the function raises."""
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise NoFreeThread from None
        call = asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)
        # The thread stays taken until the call is over, even when the caller is gone by then.
        call.add_done_callback(lambda _: self._free.release())
        return await asyncio.shield(call)

    def close(self) -> None:
        """Take no more calls; those that run are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)
