"""Requests and replies of the policy delegation protocol, from the client's end.

Both are lines of `name=value` that an empty line ends. What a reply may look like was asked of a
live smtpd: attributes other than `action` are skipped, the first `action` counts, and a line feed
alone ends a line.
"""

from collections.abc import Mapping

MOST_OCTETS = 100_000
"""Of one reply. smtpd reads replies of any length."""

_FORBIDDEN = str.maketrans({"\n": "?", "\0": "?"})


class MalformedReplyError(ValueError):
    """The reply can't be read; the text says why."""


def encode_request(attributes: Mapping[str, str]) -> bytes:
    """The octets of a request. What can't stand in a value becomes a question mark."""
    lines = [f"{name}={value.translate(_FORBIDDEN)}\n" for name, value in attributes.items()]
    return ("".join(lines) + "\n").encode("utf-8", "surrogateescape")


class ReplyReader:
    """Reads one reply line by line: `take` says whether the reply is complete."""

    def __init__(self) -> None:
        self._left = MOST_OCTETS
        self._action: bytes | None = None

    @property
    def room(self) -> int:
        """How long the next line may be, its line feed included."""
        return self._left

    def take(self, line: bytes) -> bool:
        """Take a line without its line feed. Raises MalformedReplyError."""
        if not line:
            return True
        self._left = max(self._left - len(line) - 1, 0)
        name, equals, value = line.partition(b"=")
        if name == b"action" and self._action is None:
            if not equals:
                raise MalformedReplyError("missing value for string attribute action")
            self._action = value
        return False

    def action(self) -> str:
        """The action of a complete reply. Raises MalformedReplyError where there is none."""
        if self._action is None:
            raise MalformedReplyError("missing attribute action")
        return self._action.partition(b"\0")[0].decode("utf-8", "surrogateescape")
