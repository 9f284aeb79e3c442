"""What is wrong with a value in a case file, said for those who wrote it."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from maysend.cases.case import STAGES

_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_WRONG_TYPE = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_LENGTH = re.compile(r"Expected `array` of length ([<>]=) (\d+)")
_KINDS = {
    "str": "a text in quotes",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in [ ]",
    "object": "a table of names and texts",
}


def in_plain_words(message: str, path: str, value: Any, type: type[msgspec.Struct]) -> str:
    """msgspec's `message` about what stands at `path` in `value`, which should be a `type`."""
    known = [field.name for field in msgspec.structs.fields(type)]
    if unknown := _UNKNOWN.fullmatch(message):
        return f"unknown key {unknown[1]!r}{did_you_mean(unknown[1], known)}"
    if missing := _MISSING.fullmatch(message):
        return f'expected a {missing[1]}, as {missing[1]} = "what the case shows"'
    subject = re.sub(r"\[\.\.\.\]", "", path) or "case"
    if wrong := _WRONG_TYPE.match(message):
        wanted, got = (_KINDS.get(kind.partition(" ")[0], kind) for kind in wrong.groups())
        return f"{_ordinal(subject)}: expected {wanted}, got {got}"
    if subject == "reply":
        return f"reply = {value['reply']!r}: {expected_reply(value['reply'])}"
    if subject == "at":
        meant = did_you_mean(str(value["at"]).upper(), STAGES)
        return f"at = {value['at']!r}: expected one of {', '.join(STAGES)}{meant}"
    if subject.startswith("dialogue") and _LENGTH.match(message):
        return f"{_ordinal(subject)}: expected [command, reply] or [command, reply, decided_by]"
    if message.startswith("Expected `str` of length"):
        return f"{subject}: expected a text that is not empty"
    return f"{_ordinal(subject)}: {message[:1].lower()}{message[1:]}"


def expected_reply(given: str) -> str:
    """What may stand for a reply, and which of the words was probably meant."""
    words = ("ok", "rejected", "deferred", "not asked")
    return (
        'expected "ok", "rejected", "deferred", "not asked" or a reply such as "553" or '
        f'"553 5.7.1 text"{did_you_mean(str(given).lower(), words)}'
    )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "; did you mean 'sender'?", or nothing where no known word is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _ordinal(path: str) -> str:
    """`dialogue[2][1]` counted as people do: "dialogue, row 3"."""
    found = re.match(r"(\w+)\[(\d+)\]", path)
    return f"{found[1]}, row {int(found[2]) + 1}" if found else path
