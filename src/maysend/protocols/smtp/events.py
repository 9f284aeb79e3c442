"""What a server reads of an SMTP connection: see `server`."""

import msgspec

from maysend.reply import Reply


class Line(msgspec.Struct, frozen=True):
    """One command or response line, without its CR LF."""

    text: str


class BadLine(msgspec.Struct, frozen=True):
    """A line that is not looked at, and the reply to it; 521 also ends the connection."""

    reply: Reply


class MessageSlice(msgspec.Struct, frozen=True):
    """Octets of the message as on the wire (dots still doubled), never empty."""

    wire: bytes


class MessageSkipped(msgspec.Struct, frozen=True):
    """So many octets were read of a message that is already known to be refused."""

    octets: int


class MessageEnd(msgspec.Struct, frozen=True):
    """The final dot was read. `defect` is the refusal where the message was broken or too big."""

    defect: Reply | None
    octets: int


class ChunkEnd(msgspec.Struct, frozen=True):
    """A chunk that is not the last one was read. `defect` is what is wrong so far."""

    defect: Reply | None
    octets: int


Event = Line | BadLine | MessageSlice | MessageSkipped | MessageEnd | ChunkEnd
