"""A case as text for a case file."""

from collections.abc import Mapping, Sequence

import msgspec

from maysend.cases.case import Case, Turn
from maysend.cases.dialogue import Answer
from maysend.cases.reading import DEFAULTS


def render(case: Case) -> str:
    """The case as it would be written; reading it gives the same case."""
    lines = ["[[case]]", f"name = {_toml(case.name)}"]
    for key in ("config", "service", "client_address", "client_name", "reverse_client_name"):
        if getattr(case, key) != DEFAULTS[key]:
            lines.append(f"{key} = {_toml(getattr(case, key))}")
    if case.login:
        lines.append(f"login = {_toml(case.login)}")
    if case.tls:
        lines.append("tls = true")
    if case.header is not None:
        lines.append(f"header = {_toml(case.header)}")
    if case.turns:
        lines.append("dialogue = [")
        for turn in case.turns:
            parts = [turn.command, turn.reply]
            if turn.decided_by:
                parts.append(turn.decided_by)
            lines.append(f"    [{', '.join(_toml(part) for part in parts)}],")
        lines.append("]")
    if case.fatal:
        lines.append(f"fatal = {_toml(case.fatal)}")
    if case.actions is not None:
        lines.append(f"actions = [{', '.join(map(_toml, case.actions))}]")
    if not case.postfix:
        lines.append("postfix = false")
    if case.dns:
        lines.append(f"dns = {_toml(case.dns)}")
    for key in ("main_cf", "files", "tables"):
        lines += _table(key, getattr(case, key))
    return "\n".join(lines) + "\n"


def with_answers(case: Case, answers: Sequence[Answer]) -> Case:
    """The case with these answers as the ones it wants."""
    turns = tuple(
        Turn(turn.command, answer.reply, answer.decided_by)
        for turn, answer in zip(case.turns, answers, strict=True)
    )
    return msgspec.structs.replace(case, turns=turns)


def _table(name: str, values: Mapping[str, str]) -> Sequence[str]:
    if not values:
        return []
    return [f"[case.{name}]", *(f"{_key(key)} = {_toml(text)}" for key, text in values.items())]


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else _toml(name.replace("\n", " "))


def _toml(text: str) -> str:
    """A TOML string: several lines where it has some. TOML is Unicode: U+DCxx, which stand for
    bytes that are no UTF-8, can't be written in it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(_character(character) for character in escaped)
    if "\n" in text:
        return '"""\n' + shown + '"""'
    return f'"{shown}"'


def _character(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return "\\t" if character == "\t" else f"\\U{ord(character):08X}"
