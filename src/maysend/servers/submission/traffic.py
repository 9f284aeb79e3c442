"""What all listeners of a process count together: connections, logins, messages."""

from collections import Counter
from collections.abc import Callable

import msgspec

from maysend.servers.submission.guessing import Guesses, GuessLimits


class Counts(msgspec.Struct):
    """Events since the start, for metrics. `connections_open` is how many there are now."""

    connections: int = 0
    connections_open: int = 0
    connections_refused: int = 0
    logins: int = 0
    logins_failed: int = 0
    logins_throttled: int = 0
    messages_sent: int = 0
    messages_refused: int = 0
    messages_deferred: int = 0
    messages_lost: int = 0
    octets: int = 0
    recipients_refused: int = 0


class Traffic:
    """Made once a process and handed to each Gateway. `clock`: seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.counts = Counts()
        self._clock = clock
        self._guesses: dict[GuessLimits, Guesses] = {}
        self._open: Counter[str] = Counter()

    def guesses(self, limits: GuessLimits) -> Guesses:
        """The failed logins, counted together by all listeners with these limits."""
        return self._guesses.setdefault(limits, Guesses(limits, self._clock))

    def open_from(self, address: str) -> int:
        """How many connections that address has now."""
        return self._open[address]

    def opened(self, address: str) -> None:
        """A client has connected."""
        self.counts.connections += 1
        self.counts.connections_open += 1
        self._open[address] += 1

    def closed(self, address: str) -> None:
        """A client is gone."""
        self.counts.connections_open -= 1
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]
