"""Idle connections and clients that read no replies do not make the others wait."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from maysend.servers.sink import Sink
from maysend.servers.submission import Limits
from tests.differential.live_postfix import LivePostfix, LivePostfixError
from tests.servers.conftest import LoopThread
from tests.servers.gateway_crowd import measure
from tests.servers.gateways import running

IDLE, SLOW_READERS = 500, 50
PATIENCE = 0.05
"""Seconds that the crowd may add to a message's time."""


def test_a_crowd_at_the_door(loop_thread: LoopThread, certificate: Path) -> None:
    """A tenth of what bench_gateway_crowd.py measures. The median: other tests run beside it."""
    sink = Sink()
    loop_thread.run(sink.start())
    alone, beside, memory = measure(sink.port, certificate, IDLE, SLOW_READERS, 60)
    loop_thread.run(sink.stop())
    middle = len(alone) // 2
    assert beside[middle] < alone[middle] + PATIENCE
    assert memory < 200


@pytest.mark.needs_postfix
@pytest.mark.parametrize("command", ["EHLO x", "HELO x", "NOOP", "RSET", "VRFY a"])
def test_commands_that_lead_nowhere(loop_thread: LoopThread, command: str) -> None:
    """As often as a live smtpd bears them, and no longer."""
    limits = {"smtpd_junk_command_limit": 4, "smtpd_hard_error_limit": 3}
    parameters = {name: str(limit) for name, limit in limits.items()}
    with LivePostfix(parameters) as postfix, postfix.session(helo="x") as smtp:
        theirs = answered(smtp.command, command)
    with running(loop_thread, limits=Limits(**limits)) as gateway, gateway.connect() as client:
        client.command("EHLO x")
        ours = answered(client.command, command)
    assert ours == theirs


def answered(ask: Callable[[str], str], command: str) -> list[str]:
    """The codes of the replies up to the end of the connection."""
    codes: list[str] = []
    with contextlib.suppress(OSError, LivePostfixError):
        while len(codes) < 20:
            code = ask(command)[:3]
            if code in ("421", ""):
                break
            codes.append(code)
    return codes
