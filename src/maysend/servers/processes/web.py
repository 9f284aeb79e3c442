"""`/metrics` for Prometheus and `/healthz` for whoever starts and stops services.

Just enough HTTP for those two: one GET a connection, bounded in size and time.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from maysend.servers.cells import SECONDS
from maysend.servers.configuration import Address
from maysend.servers.metrics import Sample

LONGEST_REQUEST = 8192
PATIENCE = 5.0
"""Seconds for a whole request."""

_PLAIN = "text/plain; charset=utf-8"
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class Web:
    """`samples` gives what all processes count, `problem` what is wrong, or nothing."""

    def __init__(self, samples: Callable[[], Iterable[Sample]], problem: Callable[[], str]) -> None:
        self._samples = samples
        self._problem = problem
        self._server: asyncio.Server | None = None

    async def start(self, address: Address) -> None:
        """Listen. Raises OSError."""
        host = None if address.host == "*" else address.host
        self._server = await asyncio.start_server(
            self._serve, host, address.port, limit=LONGEST_REQUEST
        )

    @property
    def port(self) -> int:
        """The port that is listened on: the real one where 0 was asked for."""
        if self._server is None:
            raise RuntimeError("the metrics listener has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head.split(b"\r\n", 1)[0].decode("latin-1")))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.write(_encoded(400, _PLAIN, b"expected a short HTTP request\n"))
        except (TimeoutError, OSError):
            pass
        finally:
            writer.close()

    def _response(self, request_line: str) -> bytes:
        method, _, rest = request_line.partition(" ")
        path = rest.split(" ")[0].split("?")[0]
        if method not in ("GET", "HEAD"):
            return _encoded(405, _PLAIN, b"only GET is known here\n")
        if path == "/metrics":
            return _encoded(200, _PROMETHEUS, exposition(self._samples()))
        if path == "/healthz":
            problem = self._problem()
            return _encoded(503 if problem else 200, _PLAIN, f"{problem or 'ok'}\n".encode())
        return _encoded(404, _PLAIN, b"expected /metrics or /healthz\n")


def _encoded(status: int, kind: str, body: bytes) -> bytes:
    reason = _REASONS.get(status, "Service Unavailable")
    return (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def exposition(samples: Iterable[Sample]) -> bytes:
    """`samples` in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Samples(samples))
    return generate_latest(registry)


class _Samples(Collector):
    """Samples as prometheus-client's families: those of one name together."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._by_name: dict[str, list[Sample]] = {}
        for sample in samples:
            self._by_name.setdefault(sample.name, []).append(sample)

    def collect(self) -> Iterator[Metric]:
        """One family for each name."""
        for name, samples in self._by_name.items():
            yield _family(name, samples)


def _family(name: str, samples: list[Sample]) -> Metric:
    first = samples[0]
    labels = [label for label, _ in first.labels]
    if first.kind == "histogram":
        histogram = HistogramMetricFamily(name, first.help, labels=labels)
        for sample in samples:
            values = [value for _, value in sample.labels]
            histogram.add_metric(values, _buckets(sample.counts), sample.value)
        return histogram
    make = CounterMetricFamily if first.kind == "counter" else GaugeMetricFamily
    family = make(name, first.help, labels=labels)
    for sample in samples:
        family.add_metric([value for _, value in sample.labels], sample.value)
    return family


def _buckets(counts: tuple[int, ...]) -> list[tuple[str, float]]:
    """Counts up to each bound, as Prometheus wants them."""
    buckets: list[tuple[str, float]] = []
    up_to = 0
    for bound, count in zip((*map(str, SECONDS), "+Inf"), counts, strict=True):
        up_to += count
        buckets.append((bound, up_to))
    return buckets
