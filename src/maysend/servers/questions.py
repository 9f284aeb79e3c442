"""Listeners of protocols in which a client asks and is answered, as often as it likes.

`QuestionListener` has the connections; what is asked and answered is a `Service`: the policy
delegation service and socketmap are one each.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, Generic, Protocol, TypeVar, cast

from maysend.servers.connections import Connections
from maysend.servers.metrics import Metrics

IDLE_CHECK: Final = 30.0
"""Seconds between two looks at who has been idle for too long."""

AT_A_TIME: Final = 64
"""Questions of one client that are answered before others get their turn."""

ANSWERS_TOGETHER: Final = 16
"""Answers to several clients that are written one after the other. Each write alone would wake its
reader on another processor, which took up to a fifth of a worker's time; so all that one turn of
the event loop answers is written at its end, but nobody waits for more than so many others."""

UNREAD: Final = 262144
"""Octets that a client may send ahead before it is not read from any more."""

Question = TypeVar("Question")
Asked = TypeVar("Asked", covariant=True)


class Decoder(Protocol[Asked]):
    """Octets in, questions out; see maysend.protocols."""

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        ...

    def next(self) -> Asked | None:
        """The next question that is there as a whole. Raises ValueError where it is none."""
        ...

    @property
    def pending(self) -> int:
        """Octets that were fed and not given out yet."""
        ...


class Service(Protocol[Question]):
    """What is asked and answered."""

    def decoder(self) -> Decoder[Question]:
        """A new client's decoder."""
        ...

    def answer(self, question: Question) -> bytes | Coroutine[Any, Any, bytes]:
        """The answer, or what has to be waited for to have it.

        Raises ValueError where the question can't be answered: the connection is closed then.
        """
        ...


class Answers:
    """What was answered in this turn of the event loop and is written together."""

    def __init__(self) -> None:
        self._transports: list[asyncio.Transport] = []
        self._answers: list[bytes] = []

    def write(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Write an answer to a client by the end of this turn."""
        self._transports.append(transport)
        self._answers.append(answer)
        waiting = len(self._answers)
        if waiting == 1:
            asyncio.get_running_loop().call_soon(self.flush)
        elif waiting >= ANSWERS_TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        transports, self._transports = self._transports, []
        answers, self._answers = self._answers, []
        for number, transport in enumerate(transports):
            if not transport.is_closing():  # its client may have gone meanwhile
                transport.write(answers[number])


class QuestionListener(Generic[Question]):
    """Clients that ask a service. `name` is the listener's in log lines and metrics.

    At most `connections` clients at a time; one that was silent for `idle` seconds is let go.
    """

    def __init__(
        self,
        service: Service[Question],
        name: str,
        metrics: Metrics,
        log: Callable[[str], None],
        *,
        connections: int = 1000,
        idle: float = 1000.0,
    ) -> None:
        self.service = service
        self._idle = idle
        self.connections: Connections[Connection[Question]] = Connections(
            name, metrics, log, connections
        )
        self.answers = Answers()
        self._server: asyncio.Server | None = None
        self._idle_check: asyncio.Task[None] | None = None

    async def start(self, sock: socket.socket) -> None:
        """Accept connections from a listening socket. Raises OSError."""
        loop = asyncio.get_running_loop()
        if sock.family == socket.AF_UNIX:
            self._server = await loop.create_unix_server(lambda: Connection(self), sock=sock)
        else:
            self._server = await loop.create_server(lambda: Connection(self), sock=sock)
        self._idle_check = asyncio.create_task(self._let_go_of_idle())

    async def stop(self, grace: float) -> None:
        """Accept nothing more; questions that were asked are answered within `grace` seconds."""
        if self._server is not None:
            self._server.close()
        if self._idle_check is not None:
            self._idle_check.cancel()
        await self.connections.end(grace)

    async def _let_go_of_idle(self) -> None:
        while True:
            await asyncio.sleep(min(IDLE_CHECK, self._idle))
            now = asyncio.get_running_loop().time()
            for connection in self.connections:
                if connection.has_asked:
                    connection.has_asked, connection.silent_since = False, now
                elif now - connection.silent_since >= self._idle:
                    connection.end()


class Connection(asyncio.Protocol, Generic[Question]):
    """One client. Its questions are answered in their order, one that takes time holds up the rest.

    Bounded both ways: a client that does not read its answers, or that has sent more than UNREAD
    octets ahead, is not read from.
    """

    def __init__(self, listener: QuestionListener[Question]) -> None:
        self._listener = listener
        self._answers = listener.answers
        self._decoder = listener.service.decoder()
        # Kept, because each call through a protocol's name would look its method up.
        self._feed, self._next = self._decoder.feed, self._decoder.next
        self._answer = listener.service.answer
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Task[None] | None = None
        self._is_blocked = False
        self._is_ending = False
        self.silent_since = self._loop.time()
        self.has_asked = False  # since somebody looked: a look at the clock each time costs more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        if not self._listener.connections.admits(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        self.has_asked = True
        self._feed(data)
        if self._waiting is None and not self._is_blocked:
            self._serve()
        elif self._decoder.pending > UNREAD:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The client has no more questions; what it asked is still answered."""
        self._is_ending = True
        self._close_if_done()
        return True

    def pause_writing(self) -> None:
        """The client does not read its answers."""
        self._is_blocked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._is_blocked = False
        if self._waiting is None:
            self._serve()
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone; what it waited for is of no use any more."""
        self._is_blocked = True
        if self._waiting is not None:
            self._waiting.cancel()
        self._listener.connections.gone(self)

    def end(self) -> None:
        """Close as soon as everything that was asked is answered."""
        self._is_ending = True
        self._close_if_done()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _serve(self) -> None:
        answers: list[bytes] = []
        try:
            while (question := self._next()) is not None:
                answer = self._answer(question)
                if not isinstance(answer, bytes):
                    self._waiting = self._loop.create_task(self._say_later(answer))
                    break
                answers.append(answer)
                if len(answers) == AT_A_TIME:
                    self._waiting = self._loop.create_task(self._say_later(_nothing()))
                    break
        except ValueError as problem:
            self._listener.connections.misunderstood(problem)
            self._is_ending = True
            self._answers.write(self._transport, b"".join(answers))
            self._close_if_done()
            return
        if answers:
            answer = answers[0] if len(answers) == 1 else b"".join(answers)
            self._answers.write(self._transport, answer)
        if self._is_ending:
            self._close_if_done()

    async def _say_later(self, answer: Coroutine[Any, Any, bytes]) -> None:
        try:
            said = await answer
        except Exception as problem:  # no answer is better than a wrong one
            self._listener.connections.misunderstood(
                ValueError(f"{type(problem).__name__}: {problem}")
            )
            self._transport.abort()
            return
        self._waiting = None
        if self._transport.is_closing():
            return
        if said:
            self._answers.write(self._transport, said)
        if not self._is_blocked:
            self._serve()
            self._read_on()

    def _read_on(self) -> None:
        """Read again, unless there is enough to do: who sends faster than we answer has to wait."""
        is_behind = self._waiting is not None and self._decoder.pending > UNREAD
        if not self._is_blocked and not is_behind and not self._transport.is_closing():
            self._transport.resume_reading()

    def _close_if_done(self) -> None:
        if self._waiting is None:
            self._answers.flush()
            self._transport.close()


async def _nothing() -> bytes:
    """Let others have their turn."""
    return b""
