"""A next hop that takes everything and sends nothing: for `maysend demo` and for tests."""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from maysend.protocols.smtp.commands import CommandError, parse_mail, parse_rcpt, split_verb
from maysend.protocols.smtp.data import DataLimits, unstuff
from maysend.protocols.smtp.events import BadLine, Line, MessageEnd, MessageSlice
from maysend.protocols.smtp.extensions import Extensions, MailParameters, RcptParameters
from maysend.protocols.smtp.replies import ReplyLines
from maysend.reply import Reply
from maysend.servers.submission.channel import Channel, ClientGone, read_buffer
from maysend.servers.submission.wires import ClientWire

OFFERED = Extensions(
    size=0,
    eightbitmime=True,
    smtputf8=True,
    dsn=True,
    pipelining=True,
    enhancedstatuscodes=True,
)
KEYWORDS = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")
OK = Reply(250, "2.0.0", "Ok")
IDLE = 600.0


class SunkMessage(msgspec.Struct):
    """A message that arrived whole."""

    sender: str
    recipients: list[str]
    mail: MailParameters
    rcpts: list[RcptParameters]
    octets: int = 0
    text: bytes = b""


class Sink:
    """Listens and takes messages; keeps the last `keep` of them, texts too.

    `arrived` is told of each. `offered` are the extensions that EHLO names.
    """

    def __init__(
        self,
        keep: int = 100,
        arrived: Callable[[SunkMessage], None] | None = None,
        keywords: tuple[str, ...] = KEYWORDS,
    ) -> None:
        self.messages: deque[SunkMessage] = deque(maxlen=keep)
        self._arrived = arrived
        self._keywords = keywords
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.read_buffer = read_buffer()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            raise RuntimeError("the sink has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Raises OSError."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: ClientWire(self.read_buffer, self.receive), host, port
        )

    async def stop(self) -> None:
        """Close everything at once."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def receive(self, channel: Channel) -> None:
        """Serve a client that has connected."""
        task = asyncio.create_task(self._serve(channel))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, channel: Channel) -> None:
        try:
            await SinkDialogue(channel, self._keywords, self._take).run()
        except (ClientGone, TimeoutError):
            pass
        finally:
            await channel.close()

    def _take(self, message: SunkMessage) -> None:
        if self.messages.maxlen:
            self.messages.append(message)
        if self._arrived is not None:
            self._arrived(message)


class SinkDialogue:
    """Just enough SMTP for a next hop that never refuses."""

    def __init__(
        self, channel: Channel, keywords: tuple[str, ...], take: Callable[[SunkMessage], None]
    ) -> None:
        self._channel = channel
        self._keywords = keywords
        self._take = take
        self._message: SunkMessage | None = None

    async def run(self) -> None:
        """Serve until QUIT. Raises ClientGone, TimeoutError."""
        self._channel.say(Reply(220, "", "sink ESMTP"))
        while True:
            event = await self._channel.event(IDLE)
            if isinstance(event, BadLine):
                self._channel.say(event.reply)
                continue
            assert isinstance(event, Line)
            try:
                reply = await self._reply(*split_verb(event.text))
            except CommandError as problem:
                reply = problem.reply
            self._channel.say(reply)
            if reply.code == 221:
                raise ClientGone

    async def _reply(self, verb: str, argument: str) -> Reply | ReplyLines:
        if verb in ("EHLO", "HELO"):
            return ReplyLines(250, ("sink", *(self._keywords if verb == "EHLO" else ())))
        if verb == "MAIL":
            path, mail = parse_mail(argument, OFFERED)
            self._message = SunkMessage(path.strip("<>"), [], mail, [])
            return OK
        if verb == "RCPT" and self._message is not None:
            path, rcpt = parse_rcpt(argument, OFFERED)
            self._message.recipients.append(path.strip("<>"))
            self._message.rcpts.append(rcpt)
            return OK
        if verb == "DATA" and self._message is not None and self._message.recipients:
            return await self._data(self._message)
        if verb in ("RSET", "NOOP"):
            self._message = None if verb == "RSET" else self._message
            return OK
        if verb == "QUIT":
            return Reply(221, "2.0.0", "Bye")
        return Reply(503, "5.5.1", "Error: bad sequence of commands")

    async def _data(self, message: SunkMessage) -> Reply:
        self._channel.say(Reply(354, "", "go ahead"))
        self._channel.start_data(DataLimits(line=1 << 30))
        keeping: list[bytes] = []
        while True:
            event = await self._channel.event(IDLE)
            if isinstance(event, MessageEnd):
                break
            if isinstance(event, MessageSlice):
                self._gather(keeping, event.wire)
        self._message = None
        if event.defect is not None:
            return event.defect
        message.octets, message.text = event.octets, unstuff(b"".join(keeping))
        self._take(message)
        return Reply(250, "2.0.0", "Ok: taken by the sink")

    def _gather(self, keeping: list[bytes], wire: bytes) -> None:
        """Keep a message's first megabyte or so: a sink is no store."""
        if sum(map(len, keeping)) < 1 << 20:
            keeping.append(wire)
