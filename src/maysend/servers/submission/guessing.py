"""Logins that are guessed: after some failures an address, or a login, is not checked any more.

A login is counted apart from the addresses that it lately came from with success: a stranger
who guesses at it can't lock out its owner at home.
"""

from collections.abc import Callable, Hashable
from ipaddress import IPv6Address, ip_address

import msgspec

MOST_COUNTED = 20_000
"""Addresses, logins, and pairs of both that are remembered; the oldest is forgotten first."""

IPV6_SITE = 64
"""Bits of an IPv6 address that tell one customer from another."""


class GuessLimits(msgspec.Struct, frozen=True):
    """Failures within `window` seconds after which nothing is checked; 0 is no limit."""

    per_address: int = 20
    per_login: int = 100
    window: float = 600.0


class Guesses:
    """Counts failed logins. `clock` gives seconds and never goes back."""

    def __init__(self, limits: GuessLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._failures: dict[Hashable, tuple[float, int]] = {}
        self._known: dict[tuple[str, str], None] = {}

    def is_address_blocked(self, address: str) -> bool:
        """Whether too many logins from there failed."""
        return self._is_over(_site(address), self._limits.per_address)

    def is_login_blocked(self, login: str, address: str) -> bool:
        """Whether too many tries for this login failed, and it is not known at that address."""
        name = _folded(login)
        known = (name, _site(address)) in self._known
        return not known and self._is_over(("login", name), self._limits.per_login)

    def failed(self, login: str, address: str) -> None:
        """Count a wrong login or password."""
        self._count(_site(address))
        if login and (_folded(login), _site(address)) not in self._known:
            self._count(("login", _folded(login)))

    def succeeded(self, login: str, address: str) -> None:
        """Remember that the login is at home there."""
        pair = (_folded(login), _site(address))
        self._known.pop(pair, None)
        _make_room(self._known)
        self._known[pair] = None

    def _is_over(self, key: Hashable, limit: int) -> bool:
        begun, failures = self._failures.get(key, (0.0, 0))
        return bool(limit) and failures >= limit and self._clock() - begun < self._limits.window

    def _count(self, key: Hashable) -> None:
        now = self._clock()
        begun, failures = self._failures.pop(key, (now, 0))
        if now - begun >= self._limits.window:
            begun, failures = now, 0
        _make_room(self._failures)
        self._failures[key] = (begun, failures + 1)


def _make_room(remembered: dict[Hashable, tuple[float, int]] | dict[tuple[str, str], None]) -> None:
    if len(remembered) >= MOST_COUNTED:
        del remembered[next(iter(remembered))]  # type: ignore[arg-type]


def _folded(login: str) -> str:
    return login.strip().casefold()[:320]


def _site(address: str) -> str:
    """The address, or the network where whoever has one address has them all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> (128 - IPV6_SITE) << (128 - IPV6_SITE)))
    return address
