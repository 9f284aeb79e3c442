"""The policy delegation protocol (SMTPD_POLICY_README): octets in, values out, and the answer.

    requests = PolicyRequests(("sender", "recipient"))
    requests.feed(octets)
    while (values := requests.next()) is not None:
        sender, recipient = values
        transport.write(encode_action("DUNNO"))

A request is lines `name=value`, ended by an empty line; values are UTF-8 with surrogateescape. Of a
name that comes twice the last value counts. In case of trouble a server says nothing and closes the
connection: the client tries again, and then does what its default action says.
"""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from maysend.address.characters import is_printable

REQUEST_TYPE: Final = "smtpd_access_policy"
"""The only type of request that smtpd sends."""

LONGEST_REQUEST: Final = 65536
"""Octets. smtpd's values are bounded by its line_length_limit (2048) each."""

MOST_ATTRIBUTES: Final = 200
"""Of one request; Postfix 3.10 sends about 30."""

LONGEST_ACTION: Final = 4096
"""Characters of an answer: a reply line has 510 octets, a PREPEND may be longer."""

_END: Final = b"\n\n"
_NEWLINE: Final = ord("\n")
_UNWANTED: Final = -1
_MOST_LAYOUTS: Final = 8
_LONGEST_KEPT: Final = 8192
"""Characters of a request whose form is learnt; smtpd's have some 800."""
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


Values: TypeAlias = list[str | None]
"""Of the attributes that are wanted, in their order; None for one that did not come."""


class PolicyProtocolError(ValueError):
    """What the client sent is no request; the text says why."""


class _Layout:
    """The names of a client's requests in their order, and the last of these requests.

    A client sends the same names in the same order every time, so that a value is known by its
    place; and most lines as they were before. Those ahead of the first and after the last that
    ever changed are compared as two texts. Of a name that comes twice the last value is wanted.
    """

    def __init__(self, text: str, names: tuple[str, ...], wanted: tuple[str, ...]) -> None:
        last = {name: number for number, name in enumerate(names)}
        places = {last[name]: place for place, name in enumerate(wanted) if name in last}
        self._names = [f"{name}=" for name in names]
        self._places = [places.get(number, _UNWANTED) for number in range(len(names))]
        self._lines = [""] * len(names)
        self._values: Values = [None] * len(wanted)
        self._take(0, text.split("\n"))
        self._first, self._end = len(names), 0
        self._head = self._tail = "\n"  # no request begins so: the next one is compared by lines

    def values(self, text: str) -> Values | None:
        """The values, or None where the request has other names."""
        begin, end = len(self._head), len(text) - len(self._tail)
        if begin <= end and text.startswith(self._head) and text.endswith(self._tail):
            first, lines = self._first, text[begin:end].split("\n")
            is_known = len(lines) == self._end - first
        else:
            first, lines = 0, text.split("\n")
            is_known = self._compare(lines)
        return self._values.copy() if is_known and self._take(first, lines) else None

    def _compare(self, lines: list[str]) -> bool:
        """See which lines have changed; False where these have other names."""
        if len(lines) != len(self._names):
            return False
        for number, line in enumerate(lines):
            if not line.startswith(self._names[number]):
                return False
        changed = [number for number, line in enumerate(lines) if line != self._lines[number]]
        if changed:
            self._first = min(self._first, changed[0])
            self._end = max(self._end, changed[-1] + 1)
            self._head = "".join([f"{line}\n" for line in lines[: self._first]])
            self._tail = "".join([f"\n{line}" for line in lines[self._end :]])
        return True

    def _take(self, first: int, lines: list[str]) -> bool:
        """Take the values of lines, of which `first` is the first; False where one is another."""
        number = first
        for line in lines:
            if line != self._lines[number]:
                value = line.removeprefix(self._names[number])
                if len(value) == len(line):
                    return False
                self._lines[number] = line
                place = self._places[number]
                if place != _UNWANTED:
                    self._values[place] = value
            number += 1
        return True


class PolicyRequests:
    """The requests of one client.

    `wanted` names the attributes whose values are given out; the others are checked and dropped.
    Memory is bounded: by `longest` octets of a request that is not ended yet, and the last request
    of each form that was learnt.
    """

    def __init__(self, wanted: Sequence[str], longest: int = LONGEST_REQUEST) -> None:
        self._wanted = tuple(wanted)
        self._longest = longest
        self._octets = b""
        self._begin = 0
        self._searched = 0
        self._layouts: list[_Layout] = []

    def feed(self, octets: bytes) -> None:
        """Take what arrived."""
        if self._begin == len(self._octets):
            self._octets, self._begin, self._searched = octets, 0, 0
        else:
            self._octets = self._octets[self._begin :] + octets
            self._searched -= self._begin
            self._begin = 0

    @property
    def pending(self) -> int:
        """Octets that were fed and not given out yet."""
        return len(self._octets) - self._begin

    def next(self) -> Values | None:
        """The values of the next request that is there as a whole, else None.

        Raises PolicyProtocolError; nothing more can be read then.
        """
        octets, begin = self._octets, self._begin
        if begin < len(octets) and octets[begin] == _NEWLINE:
            raise PolicyProtocolError("a request without attributes")
        alone = self._alone()
        if alone is not None:
            return alone
        end = octets.find(_END, self._searched)
        if end < 0:
            if self.pending > self._longest + 1:
                raise PolicyProtocolError(f"a request of more than {self._longest} octets")
            self._searched = max(begin, len(octets) - 1)
            return None
        if end - begin > self._longest:
            raise PolicyProtocolError(f"a request of more than {self._longest} octets")
        text = octets[begin:end].decode("utf-8", "surrogateescape")
        self._begin = self._searched = end + len(_END)
        if "\0" in text:
            raise PolicyProtocolError("a request with a NUL")
        return self._known(text) or self._learned(text)

    def _alone(self) -> Values | None:
        """The values of what is there, where that is one request in a form seen before.

        So it is with smtpd, which waits for an answer. A form has no empty line within it.
        """
        octets = self._octets
        size = len(octets)
        if self._begin or not len(_END) < size <= self._longest:
            return None
        if octets[size - 1] != _NEWLINE or octets[size - 2] != _NEWLINE:
            return None
        text = octets[: size - len(_END)].decode("utf-8", "surrogateescape")
        values = None if "\0" in text else self._known(text)
        if values is not None:
            self._begin = self._searched = size
        return values

    def _known(self, text: str) -> Values | None:
        """The values of a request in a form seen before."""
        if len(text) > _LONGEST_KEPT:
            return None
        for layout in self._layouts:
            values = layout.values(text)
            if values is not None:
                return values
        return None

    def _learned(self, text: str) -> Values:
        names, attributes = _parsed(text)
        if len(text) <= _LONGEST_KEPT and len(self._layouts) < _MOST_LAYOUTS:
            self._layouts.append(_Layout(text, names, self._wanted))
        return [attributes.get(name) for name in self._wanted]


def _parsed(text: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names in their order, and all attributes, of a request not seen in this form before."""
    pairs = [line.partition("=") for line in text.split("\n")]
    if len(pairs) > MOST_ATTRIBUTES:
        raise PolicyProtocolError(f"a request of more than {MOST_ATTRIBUTES} attributes")
    for name, equals, _ in pairs:
        if not equals:
            raise PolicyProtocolError(f"expected name=value, got {name[:80]!r}")
        if not name:
            raise PolicyProtocolError("an attribute without a name")
    return tuple(name for name, _, _ in pairs), {name: value for name, _, value in pairs}


def encode_action(action: str) -> bytes:
    """The answer: any action of an access(5) table, as one line.

    What can't stand in it becomes a space; it is cut at LONGEST_ACTION characters.
    """
    line = action[:LONGEST_ACTION]
    if not is_printable(line):
        line = _UNPRINTABLE.sub(" ", line)
    return f"action={line}\n\n".encode("utf-8", "surrogateescape")
