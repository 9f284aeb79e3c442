"""Decisions inline and in threads: what may wait never holds up the loop, nor fails open."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from maysend.policy import Decision, Policy, Request
from maysend.servers.deciding import POLICY_BUSY, POLICY_FAILED, Deciding, of_session
from maysend.servers.threads import BoundedThreads
from maysend.tables.table import LookupTable, Opener, TableContext


class SlowTable:
    """A table that waits until it is let go; it notes which threads asked it."""

    pattern = False
    blocking = True

    def __init__(self, spec: str, answer: str) -> None:
        self.spec = spec
        self.answer = answer
        self.go = threading.Event()
        self.asked_in: list[str] = []

    def lookup(self, key: str, /) -> str | None:
        self.asked_in.append(threading.current_thread().name)
        self.go.wait(10)
        return self.answer if key == "bob@example.com" else None


def slow_policy(table: SlowTable, **parameters: str) -> Policy:
    def open_slow(name: str, context: TableContext) -> LookupTable:
        return table

    types: dict[str, Opener] = {"slow": open_slow}
    usual = {
        "smtpd_sender_restrictions": "check_sender_access inline:{eve@example.com=REJECT}, "
        "check_sender_access slow:x",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "mynetworks": "192.0.2.0/24",
        "smtpd_reject_unlisted_recipient": "no",
    }
    return Policy.from_parameters(usual | parameters, types)


def request(sender: str) -> Request:
    return Request(client_address="192.0.2.7", sender=sender, recipient="x@example.net")


def decide(policy: Policy, sender: str) -> Callable[[bool], Decision]:
    return lambda may_wait: policy.decide(request(sender), may_wait=may_wait)


def test_what_needs_no_slow_table_is_decided_in_the_loop() -> None:
    table = SlowTable("slow:x", "REJECT")
    deciding = Deciding(BoundedThreads(1), print)
    decision = deciding.at_once(decide(slow_policy(table), "eve@example.com"))
    assert decision is not None
    assert decision.reply is not None
    assert decision.reply.code == 554
    assert table.asked_in == []


def test_a_slow_table_is_asked_in_a_thread_and_others_go_on() -> None:
    table = SlowTable("slow:x", "REJECT gone")
    policy = slow_policy(table)

    async def run() -> tuple[Decision, Decision]:
        deciding = Deciding(BoundedThreads(1, name="decisions"), print)
        assert deciding.at_once(decide(policy, "bob@example.com")) is None
        slow = asyncio.create_task(deciding.decide(decide(policy, "bob@example.com")))
        await asyncio.sleep(0)
        quick = await deciding.decide(decide(policy, "eve@example.com"))
        assert not slow.done()
        table.go.set()
        return quick, await slow

    quick, slow = asyncio.run(run())
    assert str(quick.reply).startswith("554 5.7.1 <eve@example.com>")
    assert str(slow.reply).endswith("rejected: gone")
    assert all(name.startswith("decisions") for name in table.asked_in)


def test_without_a_free_thread_the_answer_is_a_4xx_within_the_patience() -> None:
    table = SlowTable("slow:x", "DUNNO")
    policy = slow_policy(table)
    log: list[str] = []

    async def run() -> Decision:
        deciding = Deciding(BoundedThreads(1, patience=0.1), log.append)
        first = asyncio.create_task(deciding.decide(decide(policy, "bob@example.com")))
        await asyncio.sleep(0)
        second = await deciding.decide(decide(policy, "bob@example.com"))
        table.go.set()
        assert (await first).is_permitted
        return second

    assert asyncio.run(run()).reply == POLICY_BUSY
    assert log == ["warning: no thread is free for a decision: answered 4xx"]


@pytest.mark.parametrize("may_wait", [False, True])
def test_a_failing_question_is_a_4xx(may_wait: bool) -> None:
    log: list[str] = []

    def fail(_: bool) -> Decision:
        raise ZeroDivisionError("oops")

    async def run() -> Decision | None:
        deciding = Deciding(BoundedThreads(1), log.append)
        return await deciding.in_a_thread(fail) if may_wait else deciding.at_once(fail)

    decision = asyncio.run(run())
    assert decision is not None
    assert decision.reply == POLICY_FAILED
    assert log == ["error: policy failed: ZeroDivisionError: oops"]


def test_a_session_asked_twice_answers_as_if_asked_once() -> None:
    """Without waiting the command is given up half way; with it, it is as if it were the first."""

    def replies(*, twice: bool) -> list[str]:
        table = SlowTable("slow:x", "REJECT")
        table.go.set()
        policy = slow_policy(
            table,
            smtpd_sender_restrictions="",
            smtpd_helo_restrictions="check_helo_access slow:x",
            smtpd_data_restrictions="check_sender_access slow:x",
            smtpd_recipient_restrictions="check_recipient_access slow:x",
            smtpd_delay_reject="no",
        )
        deciding = Deciding(BoundedThreads(1), print)
        session = policy.session(client_address="192.0.2.7")
        commands: list[Callable[[], Decision]] = [
            session.connect,
            lambda: session.helo("good.example"),
            lambda: session.helo("bob@example.com"),
            lambda: session.mail("bob@example.com"),
            lambda: session.rcpt("one@example.net"),
            lambda: session.rcpt("two@example.net"),
            lambda: session.rcpt("bob@example.com"),
            session.data,
        ]

        async def run() -> list[str]:
            said = []
            for command in commands:
                question = of_session(session, command)
                decision = await deciding.decide(question) if twice else question(True)
                dialogue = session.dialogue
                said.append(
                    f"{decision.reply} {dialogue.helo_name} {dialogue.sender} "
                    f"{dialogue.recipient} {dialogue.recipient_count}"
                )
            return said

        return asyncio.run(run())

    assert replies(twice=True) == replies(twice=False)
    assert any("554" in reply for reply in replies(twice=True))
