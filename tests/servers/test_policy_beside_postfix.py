"""Policy service and socketmap with a real smtpd on the other side (S2.14, S5.4).

maysend may be there, dead, slow, restarted or killed: a client gets the policy's reply or a 4xx,
and never a 250 that the policy would not have given.
"""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from maysend.directory import Directory
from tests.differential.live_postfix import LivePostfix, LivePostfixError, Smtp
from tests.servers.serving import Serving, serving

pytestmark = pytest.mark.needs_postfix

CONFIGURATION = """
directory = "sqlite:///d.db"
workers = 2
grace = 2
[[listener]]
kind = "policy"
address = "unix:{folder}/policy"
group = "postfix"
[[listener]]
kind = "socketmap"
address = "unix:{folder}/socketmap"
group = "postfix"
"""
BOB, EVE, MALLORY = "bob@example.com", "eve@example.com", "mallory@example.com"
LIST = "staff@example.com"
NOT_OWNED = f"553 5.7.1 <{EVE}>: Sender address rejected: not owned by user {BOB}"
OUT_OF_ORDER = "451 4.3.5 <{}>: Sender address rejected: maysend is not there"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where smtpd, which is the user postfix, can reach the sockets."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Directory.open(folder / "d.db") as directory:
            for login in (BOB, EVE, MALLORY):
                directory.accounts.add(login, "secret")
            directory.aliases.add("sales@example.com", [BOB])
            directory.accounts.suspend(MALLORY, "account suspended: unpaid bill")
        yield folder


def asking_policy(folder: Path, timeout: str = "5s") -> LivePostfix:
    """A Postfix whose sender list asks the policy service, fail-closed."""
    return LivePostfix(
        {
            "smtpd_sender_restrictions": f"check_policy_service {{ unix:{folder}/policy, "
            f"timeout={timeout}, {{ default_action = 451 4.3.5 maysend is not there }} }}",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
            "smtpd_policy_service_retry_delay": "1s",
        }
    )


def asking_socketmap(folder: Path) -> LivePostfix:
    """A Postfix whose owners and suspensions come from the socketmap."""
    server = f"socketmap:unix:{folder}/socketmap"
    return LivePostfix(
        {
            "smtpd_sender_login_maps": f"{server}:owners",
            "smtpd_sender_restrictions": f"check_sasl_access {server}:suspended, "
            "reject_sender_login_mismatch",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
        }
    )


def rcpt(smtp: Smtp, sender: str, recipient: str = "x@example.net") -> str:
    assert smtp.command(f"MAIL FROM:<{sender}>").startswith("250 ")
    reply = smtp.command(f"RCPT TO:<{recipient}>")
    smtp.command("RSET")
    return reply


@pytest.mark.parametrize("asking", [asking_policy, asking_socketmap])
def test_postfix_gives_the_replies_of_the_policy(folder: Path, asking: object) -> None:
    """S2.4, S2.5, S5.4: owners, aliases, tags and suspension, with smtpd's own words around."""
    assert callable(asking)
    with serving(folder, CONFIGURATION.format(folder=folder)), asking(folder) as postfix:
        with postfix.session(login=BOB, helo="client.example") as smtp:
            for sender in (BOB, "bob+tag@example.com", "sales@example.com", "SALES@example.com"):
                assert rcpt(smtp, sender).startswith("250 "), sender
            assert rcpt(smtp, EVE) == NOT_OWNED
            assert smtp.command(f"MAIL FROM:<{BOB}>").startswith("250 ")
            for number in range(20):
                assert smtp.command(f"RCPT TO:<r{number}@example.net>").startswith("250 ")
        with postfix.session(login="Mallory@Example.com", helo="client.example") as smtp:
            refusal = rcpt(smtp, MALLORY)
            assert refusal.startswith("554 5.7.1 ")
            assert refusal.endswith(" rejected: account suspended: unpaid bill")


def test_many_recipients_are_each_asked_about(folder: Path) -> None:
    with (
        serving(folder, CONFIGURATION.format(folder=folder)),
        asking_policy(folder) as postfix,
        postfix.session(login=BOB, helo="client.example") as smtp,
    ):
        assert smtp.command(f"MAIL FROM:<{BOB}>").startswith("250 ")
        assert smtp.command("RCPT TO:<one@example.net>").startswith("250 ")
        assert smtp.command("RCPT TO:<unqualified>").startswith("504 5.5.2 ")
        assert smtp.command("RCPT TO:<two@example.net>").startswith("250 ")


def test_a_dead_maysend_is_a_4xx(folder: Path) -> None:
    with asking_policy(folder) as postfix, postfix.session(login=BOB, helo="c.example") as smtp:
        assert rcpt(smtp, BOB) == OUT_OF_ORDER.format(BOB)
    with asking_socketmap(folder) as postfix, postfix.session(login=BOB, helo="c.example") as smtp:
        assert rcpt(smtp, BOB).startswith("451 4.3.")


def test_a_maysend_that_does_not_answer_is_a_4xx_within_the_timeout(folder: Path) -> None:
    with (
        serving(folder, CONFIGURATION.format(folder=folder)) as running,
        asking_policy(folder, "2s") as postfix,
        postfix.session(login=BOB, helo="c.example") as smtp,
    ):
        assert rcpt(smtp, BOB).startswith("250 ")
        stopped = running.workers
        for worker in stopped:
            os.kill(worker, signal.SIGSTOP)
        begun = time.monotonic()
        try:
            assert rcpt(smtp, BOB) == OUT_OF_ORDER.format(BOB)
            assert time.monotonic() - begun < 15
        finally:
            for worker in stopped:
                os.kill(worker, signal.SIGCONT)
        assert rcpt(smtp, BOB).startswith("250 ")


def test_a_socketmap_that_hangs_lets_nothing_through_and_answers_when_it_goes_on(
    folder: Path,
) -> None:
    """Postfix waits for 100 s (socketmap_table(5)): until then there is no reply at all."""
    with (
        serving(folder, CONFIGURATION.format(folder=folder)) as running,
        asking_socketmap(folder) as postfix,
        postfix.session(login=BOB, helo="c.example") as smtp,
    ):
        stopped = running.workers
        for worker in stopped:
            os.kill(worker, signal.SIGSTOP)
        replies: list[str] = []
        client = threading.Thread(target=lambda: replies.append(rcpt(smtp, EVE)))
        client.start()
        client.join(2)
        assert replies == []
        for worker in stopped:
            os.kill(worker, signal.SIGCONT)
        client.join(20)
        assert replies == [NOT_OWNED]
        assert rcpt(smtp, BOB).startswith("250 ")


@pytest.mark.parametrize("asking", [asking_policy, asking_socketmap])
def test_killed_and_restarted_under_load_clients_see_4xx_at_worst(
    folder: Path, asking: object
) -> None:
    """Kill -9 of workers, SIGHUP, and a whole restart, while clients ask without a pause."""
    assert callable(asking)
    replies: dict[str, set[str]] = {BOB: set(), EVE: set()}
    over = threading.Event()
    failures: list[BaseException] = []

    def client(postfix: LivePostfix, sender: str) -> None:
        try:
            while not over.is_set():
                with postfix.session(login=BOB, helo="c.example") as smtp:
                    for _ in range(20):
                        replies[sender].add(rcpt(smtp, sender))
                        if smtp.closed or over.is_set():
                            break
        except (LivePostfixError, AssertionError) as problem:
            failures.append(problem)

    with asking(folder) as postfix:
        with serving(folder, CONFIGURATION.format(folder=folder)) as running:
            threads = [
                threading.Thread(target=client, args=(postfix, sender))
                for sender in (BOB, EVE, EVE)
            ]
            for thread in threads:
                thread.start()
            _disturb(running)
        with serving(folder, CONFIGURATION.format(folder=folder)):
            time.sleep(2)
            over.set()
            for thread in threads:
                thread.join(60)
    assert failures == []
    assert NOT_OWNED in replies[EVE]
    assert all(reply == NOT_OWNED or reply.startswith("4") for reply in replies[EVE]), replies
    assert any(reply.startswith("250 ") for reply in replies[BOB])
    assert all(reply.startswith(("250 ", "4")) for reply in replies[BOB]), replies


def _disturb(running: Serving) -> None:
    for round_ in range(1, 4):
        time.sleep(0.5)
        os.kill(running.workers[0], signal.SIGKILL)
        running.wait_for("is replaced: pid", round_)
    running.signal(signal.SIGHUP)
    running.wait_for("reloaded: ")
