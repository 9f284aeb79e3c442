"""A running milter service on a unix socket, for tests."""

import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from maysend.policy import Policy
from maysend.servers.deciding import Deciding
from maysend.servers.decision_log import DecisionLog
from maysend.servers.metrics import Metrics
from maysend.servers.milter import MilterService
from maysend.servers.questions import QuestionListener
from maysend.servers.threads import BoundedThreads
from maysend.tables.table import Opener
from tests.servers.conftest import LoopThread

POLICY = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sender_login_maps": "inline:{bob@example.com=bob}",
    "smtpd_on_behalf_login_maps": "inline:{ceo@example.com=bob}",
    "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch",
    "smtpd_recipient_restrictions": "check_recipient_access inline:{{list@example.com=REJECT}}",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_end_of_data_restrictions": "reject_header_from_login_mismatch",
    "smtpd_reject_unlisted_recipient": "no",
    "mydestination": "",
}


class Unchanging:
    """A policy that stays."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy


class RunningMilter:
    """Where it listens, and what it logged and counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log: list[str] = []
        self.metrics = Metrics()

    def write(self, line: str, fields: Mapping[str, object] | None = None) -> None:
        self.log.append(line)

    def counted(self, outcome: str) -> float:
        return sum(
            sample.value
            for sample in self.metrics.samples()
            if sample.name == "maysend_decisions_total" and ("outcome", outcome) in sample.labels
        )


@contextmanager
def running_milter(
    thread: LoopThread,
    parameters: Mapping[str, str] | None = None,
    types: Mapping[str, Opener] | None = None,
    *,
    envelope: bool = False,
) -> Iterator[RunningMilter]:
    """A milter whose socket everybody may connect to: Postfix's daemons are not root."""
    folder = Path(tempfile.mkdtemp(prefix="maysend-milter-"))
    folder.chmod(0o755)
    running = RunningMilter(folder / "milter")
    deciding = Deciding(BoundedThreads(2, patience=0.5), running.write)
    service = MilterService(
        "milter",
        Unchanging(Policy.from_parameters(POLICY | dict(parameters or {}), types)),
        deciding,
        DecisionLog(running.write),
        running.metrics,
        running.write,
        envelope=envelope,
    )
    listener = QuestionListener(service, "milter", running.metrics, running.write)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(running.path))
        running.path.chmod(0o666)
        sock.listen(100)
        thread.run(listener.start(sock))
        try:
            yield running
        finally:
            thread.run(listener.stop(5))
            shutil.rmtree(folder)
