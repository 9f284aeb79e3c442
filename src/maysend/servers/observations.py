"""Who would have been refused: the decision log's observations, grouped by login and sender.

The log is read a line at a time, and only what is grouped is kept.
"""

import re
import shlex
from collections.abc import Iterable, Iterator

import msgspec

from maysend.servers.decision_line import Observed

MOST_GROUPS = 100_000
"""Different logins and senders that are told apart; further ones are counted only."""

_ADDRESS = re.compile(r"<([^<>]*)>")


class Observation(msgspec.Struct):
    """One login and what it was about: how often, when last, and what would allow it.

    `about` is the sender, the address in the header, or the recipient that would have been refused.
    """

    login: str
    about: str
    restriction: str
    reply: str
    count: int
    first: str
    last: str
    allow: str


class Report(msgspec.Struct):
    """What a log says: the observations, most frequent first."""

    observations: list[Observation]
    lines: int
    unreadable: int
    more: int
    """Observations beyond MOST_GROUPS."""


class _Logged(msgspec.Struct):
    """What is read of a line; other fields are others' business."""

    time: str = ""
    sasl_username: str = ""
    sender: str = ""
    recipient: str = ""
    observed: tuple[Observed, ...] = ()


def report_of(lines: Iterable[bytes]) -> Report:
    """The report of a decision log. A line that is none is counted, and the rest is read."""
    groups: dict[tuple[str, str, str], Observation] = {}
    report = Report([], 0, 0, 0)
    decoder = msgspec.json.Decoder(_Logged)
    for line in lines:
        if not line.strip():
            continue
        report.lines += 1
        try:
            logged = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            report.unreadable += 1
            continue
        for each in _observations(logged):
            key = (each.login, each.about, each.restriction)
            known = groups.get(key)
            if known is not None:
                known.count += 1
                known.last = each.last
            elif len(groups) < MOST_GROUPS:
                groups[key] = each
            else:
                report.more += 1
    report.observations = sorted(
        groups.values(), key=lambda each: (-each.count, each.login, each.about)
    )
    return report


def _observations(logged: _Logged) -> Iterator[Observation]:
    for each in logged.observed:
        restriction = each.rule.partition(" ")[0]
        found = _ADDRESS.search(each.reply)
        about = found[1] if found is not None else logged.sender
        yield Observation(
            login=logged.sasl_username,
            about=about,
            restriction=restriction,
            reply=each.reply,
            count=1,
            first=logged.time,
            last=logged.time,
            allow=allowing_command(restriction, logged.sasl_username, about),
        )


def allowing_command(restriction: str, login: str, about: str) -> str:
    """The command that would allow it; "" where none can."""
    if not login or "@" not in about:
        return ""
    if restriction == "reject_recipient_login_mismatch":
        return f"maysend list update {_quoted(about)} --add-poster {_quoted(login)}"
    return f"maysend grant add {_quoted(login)} {_quoted(about)}"


def _quoted(word: str) -> str:
    """`word` for a shell. What is in the log was said by clients: it must not become a command."""

    return shlex.quote(word)
