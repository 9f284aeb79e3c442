"""Golden cases: a configuration, what a client says, and the replies it must get.

tests/cases/README.md describes the format for those who write cases; this reads and writes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import msgspec

OK = "ok"
"""What a case writes where nothing objects (any 2xx or 3xx reply)."""
STAGES = ("CONNECT", "HELO", "MAIL", "RCPT", "DATA", "END")


class GoldenCaseError(Exception):
    """A case that can't be read; the text names the file and what was expected."""


class Turn(msgspec.Struct, frozen=True):
    """One command of the client, the reply it wants, and the restriction that decides on it.

    `command` is "CONNECT", an SMTP command line, or "END" for the final dot.
    """

    command: str
    reply: str = OK
    decided_by: str = ""

    @property
    def stage(self) -> str:
        """Which of STAGES this is, or another SMTP verb ("RSET")."""
        verb = self.command.split(" ", 1)[0].upper()
        return "HELO" if verb == "EHLO" else verb


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One dialogue with one configuration."""

    name: str
    main_cf: dict[str, str] = {}
    files: dict[str, str] = {}
    dns: str = ""
    client_address: str = "192.0.2.7"
    client_name: str = "unknown"
    reverse_client_name: str = ""
    login: str = ""
    turns: tuple[Turn, ...] = ()
    actions: tuple[str, ...] | None = None
    fatal: str = ""
    postfix: bool = True


class _Given(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a file can say once for all of its cases, and a case for itself."""

    main_cf: dict[str, str] = {}
    files: dict[str, str] = {}
    dns: str = ""
    client_address: str | None = None
    client_name: str | None = None
    reverse_client_name: str | None = None
    helo: str | None = None
    login: str | None = None
    sender: str | None = None
    recipient: str | None = None


class _WrittenCase(_Given, kw_only=True, forbid_unknown_fields=True):
    name: str
    at: str = "RCPT"
    reply: str | None = None
    decided_by: str = ""
    dialogue: list[Annotated[list[str], msgspec.Meta(min_length=2, max_length=3)]] | None = None
    actions: list[str] | None = None
    fatal: str = ""
    postfix: bool = True


class _WrittenFile(_Given, kw_only=True, forbid_unknown_fields=True):
    about: str = ""
    case: list[_WrittenCase]


DEFAULTS = {
    "client_address": "192.0.2.7",
    "client_name": "unknown",
    "reverse_client_name": "",
    "helo": "client.example",
    "login": "",
    "sender": "stranger@example.org",
    "recipient": "bob@example.com",
}
"""What a case means that does not say otherwise."""


def load(path: Path) -> list[Case]:
    """The cases of one file. Raises GoldenCaseError."""
    try:
        written = msgspec.toml.decode(path.read_bytes(), type=_WrittenFile)
        cases = [_complete(written, case) for case in written.case]
    except (msgspec.MsgspecError, ValueError) as error:
        raise GoldenCaseError(f"{path}: {error}") from error
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise GoldenCaseError(f"{path}: two cases are named {name!r}")
    return cases


def load_all(directory: Path) -> Iterator[tuple[str, Case]]:
    """Every case under a directory with its test id, "owners: S1.6 nobody sends as another"."""
    for path in sorted(directory.glob("**/*.toml")):
        for case in load(path):
            yield f"{path.stem}: {case.name}", case


def render(case: Case) -> str:
    """The case as text for a file in tests/cases/."""
    lines = ["[[case]]", f"name = {_toml(case.name)}"]
    for key in ("client_address", "client_name", "reverse_client_name", "login"):
        value = getattr(case, key)
        if value != DEFAULTS[key]:
            lines.append(f"{key} = {_toml(value)}")
    if case.turns:
        lines.append("dialogue = [")
        for turn in case.turns:
            parts = [turn.command, turn.reply]
            if turn.decided_by:
                parts.append(turn.decided_by)
            lines.append(f"    [{', '.join(_toml(part) for part in parts)}],")
        lines.append("]")
    if case.dns:
        lines.append(f"dns = {_toml(case.dns)}")
    lines += _render_table("main_cf", case.main_cf)
    lines += _render_table("files", case.files)
    return "\n".join(lines) + "\n"


def _complete(file: _WrittenFile, case: _WrittenCase) -> Case:
    given: dict[str, str] = {}
    for key, default in DEFAULTS.items():
        own, shared = getattr(case, key), getattr(file, key)
        given[key] = own if own is not None else shared if shared is not None else default
    helo, sender, recipient = (given.pop(key) for key in ("helo", "sender", "recipient"))
    if case.dialogue is not None:
        turns = tuple(Turn(*turn) for turn in case.dialogue)
    elif case.fatal:
        turns = ()
    elif case.reply is None:
        raise ValueError(f"{case.name!r}: expected a reply, a dialogue or fatal")
    else:
        turns = tuple(_short_dialogue(case, helo, sender, recipient))
    return Case(
        name=case.name,
        main_cf={**file.main_cf, **case.main_cf},
        files={**file.files, **case.files},
        dns=file.dns + case.dns,
        turns=turns,
        actions=None if case.actions is None else tuple(case.actions),
        fatal=case.fatal,
        postfix=case.postfix,
        **given,
    )


def _short_dialogue(case: _WrittenCase, helo: str, sender: str, recipient: str) -> Iterator[Turn]:
    """One client, one sender, one recipient: everything is fine until the stage that `at` names."""
    if case.at not in STAGES:
        raise ValueError(f"{case.name!r}: at = {case.at!r}, expected one of {', '.join(STAGES)}")
    commands = {
        "CONNECT": "CONNECT",
        "HELO": f"EHLO {helo}",
        "MAIL": f"MAIL FROM:<{sender}>",
        "RCPT": f"RCPT TO:<{recipient}>",
        "DATA": "DATA",
        "END": "END",
    }
    for stage in STAGES[: STAGES.index(case.at)]:
        if stage != "HELO" or helo:
            yield Turn(commands[stage])
    assert case.reply is not None
    yield Turn(commands[case.at], case.reply, case.decided_by)


def _render_table(name: str, values: Mapping[str, str]) -> Sequence[str]:
    if not values:
        return []
    return [f"[case.{name}]", *(f"{_key(key)} = {_toml(text)}" for key, text in values.items())]


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() else _toml(name)


def _toml(text: str) -> str:
    """A TOML string: several lines where it has some, octets that are no UTF-8 as \\uDCxx."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(_toml_character(character) for character in escaped)
    if "\n" in text:
        return '"""\n' + shown + '"""'
    return f'"{shown}"'


def _toml_character(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return "\\t" if character == "\t" else f"\\u{ord(character):04X}"
