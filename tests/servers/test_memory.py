"""Memory does not grow with messages: the bound of 100 clients with 25 MB each, at a size that a
test can afford (`bench/bench_gateway_memory.py` sends them whole)."""

from pathlib import Path

from tests.servers.gateway_memory import gateway_memory_mb


def test_a_hundred_clients_at_once(certificate: Path) -> None:
    assert gateway_memory_mb(100, 4_000_000, certificate, encrypted=True) < 150


def test_memory_does_not_grow_with_the_message(certificate: Path) -> None:
    small = gateway_memory_mb(5, 2_000_000, certificate, encrypted=False)
    big = gateway_memory_mb(5, 40_000_000, certificate, encrypted=False)
    assert big < small + 10
