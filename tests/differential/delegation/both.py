"""One policy server that a live smtpd and this program ask, in one and the same dialogue."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from maysend.cases import Case, Turn
from maysend.cases.dialogue import ask_policy
from maysend.policy import Policy
from tests.differential.live_postfix import LivePostfix
from tests.live_dialogue import ask_postfix
from tests.servers.policy_server import attributes, policy_server
from tests.servers.stream_server import StreamServer

SERVER = "unix:private/policy"


class Both:
    """A live Postfix, and a policy server in its queue directory that answers `reply`."""

    def __init__(self, postfix: LivePostfix, server: StreamServer) -> None:
        self.postfix = postfix
        self.server = server
        self.reply: bytes | None = b"action=DUNNO\n\n"
        server.answer = lambda request: self.reply

    def requests(self) -> list[dict[str, str]]:
        """What the server was asked since the last time."""
        found = [attributes(request) for request in self.server.requests]
        self.server.requests.clear()
        return found

    def replies(
        self, parameters: Mapping[str, str], commands: Sequence[str], **client: str
    ) -> tuple[list[str], list[str]]:
        """What smtpd and this program reply to the same commands."""
        self.postfix.configure(parameters)
        turns = tuple(Turn(command) for command in commands)
        case = Case(name="", turns=turns, **client)  # type: ignore[arg-type]
        live = [answer.reply for answer in ask_postfix(self.postfix, case)]
        policy = Policy.load(self.postfix.directory)
        ours = [answer.reply for answer in ask_policy(policy, case)]
        return live, ours


@contextmanager
def both_ask() -> Iterator[Both]:
    """Start them."""
    with LivePostfix() as postfix:
        path = postfix.queue / "private/policy"
        with policy_server(lambda request: None, path) as server:
            os.chmod(path, 0o666)
            yield Both(postfix, server)
