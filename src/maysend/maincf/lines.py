"""Logical lines of main.cf and master.cf, and the `name = value` in one of them.

A line that starts with whitespace continues the logical line before it; empty lines and lines
whose first other character is `#` are skipped, also between the two (postconf(5), master(5)).
Whitespace is isspace(3) of the C locale, a line ends at LF only, and what follows a NUL is lost,
because Postfix keeps text in C strings.
"""

from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from maysend.maincf.errors import MainCfError
from maysend.maincf.place import Place
from maysend.maincf.settings import Run, Setting

WHITESPACE = " \t\n\v\f\r"
"""isspace(3) in the C locale."""

LARGEST_FILE = 16 * 1024 * 1024
"""Octets of a configuration file; a larger one is refused rather than read into memory."""


class LogicalLine(msgspec.Struct, frozen=True):
    """Physical lines joined: `runs` say where each part of `text` is written."""

    text: str
    file: str
    runs: tuple[Run, ...]

    @property
    def line(self) -> int:
        """The number of its first physical line."""
        return self.runs[0][1]

    def place_at(self, offset: int) -> Place:
        """Where the character at `offset` of `text` is written."""
        start, line, column = self.runs[max(bisect_right(self.runs, offset, key=_offset) - 1, 0)]
        return Place(self.file, line, column + offset - start)

    def runs_of(self, start: int, end: int) -> tuple[Run, ...]:
        """The runs of text[start:end], their offsets counted from `start`."""
        if len(self.runs) == 1:
            _, line, column = self.runs[0]
            return ((0, line, column + start),)
        first = self.place_at(start)
        inner = ((o - start, line, column) for o, line, column in self.runs if start < o < end)
        return ((0, first.line, first.column), *inner)

    def setting(self, start: int, end: int, service: str | None = None) -> Setting:
        """The `name = value` written in text[start:end] (split_nameval in Postfix).

        Raises MainCfError where there is no name, or no `=` right after it.
        """
        text = self.text
        while start < end and text[start] in WHITESPACE:
            start += 1
        equals = text.find("=", start, end)
        name = text[start : equals if equals >= 0 else end].rstrip(WHITESPACE)
        if not name:
            raise MainCfError("missing attribute name: expected name = value", self.place_at(start))
        if equals < 0 or any(mark in name for mark in WHITESPACE):
            raise MainCfError(
                f'missing "=" after attribute name: "{_shown(text[start:end])}"',
                self.place_at(start),
            )
        value = text[equals + 1 : end]
        first = equals + 1 + len(value) - len(value.lstrip(WHITESPACE))
        raw = value.strip(WHITESPACE)
        runs = self.runs_of(first, first + len(raw))
        return Setting(name, raw, self.place_at(start), service, runs)


def read(path: str) -> str:
    """The text of a configuration file, bytes that are no UTF-8 kept by surrogateescape.

    Raises MainCfError where it can't be read or is larger than LARGEST_FILE.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MainCfError(f"cannot be read: {reason}", Place(path, 0)) from None
    if len(content) > LARGEST_FILE:
        raise MainCfError(f"larger than {LARGEST_FILE} octets", Place(path, 0))
    return content.decode("utf-8", "surrogateescape")


def logical_lines(text: str, file: str) -> Iterator[LogicalLine]:
    """The logical lines of `text`, those included that start with whitespace.

    Such a line stands before any other, so that it continues nothing: Postfix warns and skips it,
    and so must the caller (`starts_with_whitespace`).
    """
    parts: list[str] = []
    runs: list[Run] = []
    length = 0
    for number, line in enumerate(text.split("\n"), 1):
        content = line.lstrip(WHITESPACE)
        if not content or content[0] == "#":
            continue
        if parts and line[0] not in WHITESPACE:
            yield _joined(parts, runs, file)
            parts, runs, length = [], [], 0
        parts.append(line)
        runs.append((length, number, 1))
        length += len(line)
    if parts:
        yield _joined(parts, runs, file)


def starts_with_whitespace(line: LogicalLine) -> bool:
    """Whether Postfix ignores this logical line, with a warning."""
    return line.text[:1] in WHITESPACE and line.text != ""


def _joined(parts: list[str], runs: list[Run], file: str) -> LogicalLine:
    text = parts[0] if len(parts) == 1 else "".join(parts)
    return LogicalLine(text.partition("\0")[0], file, tuple(runs))


def _offset(run: Run) -> int:
    return run[0]


def _shown(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
