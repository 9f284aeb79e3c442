"""How long one end waits for the other, without a timer for each time it waits.

Nearly every wait ends early, and timers that are made only to be cancelled cost more than the
commands between them. So one timer is left running; when it goes off too early it is set anew.
"""

import asyncio
from collections.abc import Callable


class Patience:
    """Calls `give_up` when a wait lasts too long. One wait at a time.

    Who has what was waited for sets `deadline` to None.
    """

    __slots__ = ("_at", "_give_up", "_loop", "_timer", "deadline")

    def __init__(self, give_up: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._give_up = give_up
        self.deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0

    def begin(self, seconds: float) -> None:
        """A wait of at most so many seconds begins."""
        self.deadline = deadline = self._loop.time() + seconds
        if self._timer is None or self._at > deadline:
            self.stop()
            self.deadline = deadline
            self._set(deadline)

    def stop(self) -> None:
        """Nothing will be waited for any more."""
        self.deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, deadline: float) -> None:
        self._at = deadline
        self._timer = self._loop.call_at(deadline, self._went_off)

    def _went_off(self) -> None:
        self._timer = None
        if self.deadline is None:
            return
        if self._loop.time() < self.deadline:
            self._set(self.deadline)
            return
        self.deadline = None
        self._give_up()
