"""What a worker is told when it starts, and what it tells its supervisor while it runs.

The order is JSON in the environment; the reports are lines of JSON on a socket pair. Where the
supervisor's end of that is closed the worker stops: nothing outlives its supervisor.
"""

import msgspec

from maysend.servers.metrics import Sample

ORDER = "MAYSEND_WORKER"
"""The environment variable with the order."""

LONGEST_REPORT = 4_000_000
"""Octets of one report's line."""


class Order(msgspec.Struct, frozen=True):
    """`number` counts from 1; `sockets` has the descriptor for each listener's name.
    `user` is whom the worker becomes, before it opens anything."""

    number: int
    configuration: str
    control: int
    sockets: dict[str, int]
    user: str = ""
    stamped: bool = True


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a worker is: `failed` says why it could not start, `problem` what is wrong now."""

    ready: bool = False
    failed: str = ""
    problem: str = ""
    samples: tuple[Sample, ...] = ()
