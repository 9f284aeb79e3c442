"""What the socketmap service answers: each map is a table that is asked whole keys only.

Postfix asks a socketmap once, with the whole address or login, and leaves extension, catch-all and
spelling to the server: the `directory:` tables do all of that themselves. What can't be answered is
TEMP, TIMEOUT or PERM, never NOTFOUND.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from maysend.protocols.socketmap import (
    NOT_FOUND,
    Query,
    SocketmapQueries,
    found,
    permanent,
    temporary,
    timeout,
)
from maysend.servers.cells import Cell
from maysend.servers.metrics import Metrics
from maysend.servers.threads import BoundedThreads, NoFreeThread
from maysend.tables import LookupTable, TableError
from maysend.tables.remembering import would_wait

LONGEST_WAIT = 20.0
"""Seconds that a table may take; Postfix waits for 100."""


class SocketmapService:
    """Answers the queries of a `QuestionListener`, whose name is `name`, from `maps`."""

    def __init__(
        self,
        name: str,
        maps: Mapping[str, LookupTable],
        threads: BoundedThreads,
        metrics: Metrics,
        log: Callable[[str], None],
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._name = name
        self._maps = maps
        self._threads = threads
        self._metrics = metrics
        self._log = log
        self._longest_wait = longest_wait
        self._counted: dict[tuple[str, str], Cell] = {}

    def decoder(self) -> SocketmapQueries:
        """A new client's decoder."""
        return SocketmapQueries()

    def answer(self, query: Query) -> bytes | Coroutine[Any, Any, bytes]:
        """The answer, or what will have it."""
        table = self._maps.get(query.name)
        if table is None:
            self._count("unknown", "error")
            known = ", ".join(self._maps)
            return permanent(f"no map {query.name[:80]}, expected one of {known}")
        if would_wait(table, query.key):
            return self._answer_later(table, query)
        try:
            return self._said(query, table.lookup(query.key))
        except Exception as problem:  # an error is never "not found"
            return self._failed(query, problem)

    async def _answer_later(self, table: LookupTable, query: Query) -> bytes:
        try:
            async with asyncio.timeout(self._longest_wait):
                value = await self._threads.run(table.lookup, query.key)
        except TimeoutError:
            self._count(query.name, "error")
            return timeout(f"{table.spec} took more than {self._longest_wait:g} seconds")
        except Exception as problem:  # an error is never "not found"
            return self._failed(query, problem)
        return self._said(query, value)

    def _said(self, query: Query, value: str | None) -> bytes:
        if value is None:
            self._count(query.name, "not_found")
            return NOT_FOUND
        self._count(query.name, "found")
        return found(value)

    def _failed(self, query: Query, problem: Exception) -> bytes:
        self._count(query.name, "error")
        if isinstance(problem, NoFreeThread):
            return temporary("too many lookups are under way, try again later")
        if isinstance(problem, TableError):
            self._log(f"warning: {self._name}: {problem}")
            say = temporary if problem.kind == "retry" else permanent
            return say(problem.reason)
        self._log(f"error: {self._name}: {type(problem).__name__}: {problem}")
        return temporary("the lookup failed")

    def _count(self, map_name: str, result: str) -> None:
        cell = self._counted.get((map_name, result))
        if cell is None:
            cell = self._counted[map_name, result] = self._metrics.counter(
                "maysend_lookups_total",
                "Socketmap lookups, by map and result.",
                listener=self._name,
                map=map_name,
                result=result,
            )
        cell.value += 1
