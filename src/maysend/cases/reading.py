"""Read case files: TOML in, cases or everything that is wrong with them out."""

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from maysend.cases.case import Case, Turn
from maysend.cases.errors import CaseFileError, Problem
from maysend.cases.meaning import objections
from maysend.cases.places import Places
from maysend.cases.wording import in_plain_words
from maysend.cases.written import Given, WrittenCase, WrittenFile
from maysend.maincf import Place

DEFAULTS: dict[str, Any] = {
    "config": "",
    "service": "",
    "client_address": "192.0.2.7",
    "client_name": "unknown",
    "reverse_client_name": "",
    "helo": "client.example",
    "login": "",
    "tls": False,
    "sender": "stranger@example.org",
    "recipient": "bob@example.com",
    "header": None,
}
"""What a case means that does not say otherwise."""
_SYNTAX = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")
_Written = TypeVar("_Written", WrittenFile, WrittenCase)
_PATH = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)


def read_cases(path: Path) -> list[Case]:
    """The cases of a file. Raises CaseFileError, and OSError where it can't be opened."""
    return parse_cases(path.read_bytes(), path)


def parse_cases(octets: bytes, path: Path) -> list[Case]:
    """The cases in the content of the file `path`. Raises CaseFileError."""
    return _Reading(octets, path).cases()


class _Reading:
    """One file being read, and what is wrong with it so far."""

    def __init__(self, octets: bytes, path: Path) -> None:
        self._path = path
        self._problems: list[Problem] = []
        text = self._text(octets)
        self._places = Places(text)
        self._document = self._toml(text)

    def cases(self) -> list[Case]:
        """Every case, or one CaseFileError for all that is wrong."""
        written = self._written()
        cases = []
        names: dict[str, int] = {}
        for number, case in enumerate(written.case):
            cases.append(self._complete(written, case, number))
            if case.name in names:
                first = names[case.name]
                self._complain(
                    number, f"two cases are named {case.name!r}, here and in line {first}"
                )
            names.setdefault(case.name, self._places.line(number))
        for where, complaint, keys in objections(written, cases):
            self._complain(where, complaint, *keys)
        self._stop_if_wrong()
        return cases

    def _written(self) -> WrittenFile:
        rows = self._document.get("case", [])
        if not isinstance(rows, list) or not rows:
            self._complain(None, "expected at least one case, which begins with [[case]]")
            rows = []
        shared = {key: value for key, value in self._document.items() if key != "case"}
        file = self._converted({**shared, "case": [{"name": "-"}]}, WrittenFile, None)
        cases = [self._converted(row, WrittenCase, number) for number, row in enumerate(rows)]
        self._stop_if_wrong()
        assert file is not None
        return msgspec.structs.replace(file, case=[case for case in cases if case is not None])

    def _converted(self, value: Any, type: type[_Written], number: int | None) -> _Written | None:
        try:
            return msgspec.convert(value, type)
        except msgspec.ValidationError as error:
            message, path = _parts(str(error))
            key = re.split(r"[.\[]", path)[0] if path else ""
            self._complain(
                number, in_plain_words(message, path, value, type), *([key] if key else [])
            )
            return None

    def _complete(self, file: WrittenFile, case: WrittenCase, number: int) -> Case:
        given = {key: _first_given(key, case, file) for key in DEFAULTS}
        helo, sender, recipient = (given.pop(key) for key in ("helo", "sender", "recipient"))
        if given["config"]:
            given["config"] = os.path.normpath(self._path.parent / given["config"])
        return Case(
            name=case.name,
            main_cf={**file.main_cf, **case.main_cf},
            files={**file.files, **case.files},
            tables={**file.tables, **case.tables},
            dns=file.dns + case.dns,
            turns=tuple(_turns(case, helo, sender, recipient)),
            actions=None if case.actions is msgspec.UNSET else tuple(case.actions),
            fatal=case.fatal,
            postfix=case.postfix,
            place=Place(str(self._path), self._places.line(number)),
            **given,
        )

    def _text(self, octets: bytes) -> str:
        try:
            return octets.decode("utf-8")
        except UnicodeDecodeError as error:
            line = octets.count(b"\n", 0, error.start) + 1
            place = Place(str(self._path), line)
            raise CaseFileError([Problem(place, "expected UTF-8 text")]) from error

    def _toml(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _SYNTAX.fullmatch(str(error))
            line = int(found[2]) if found else 0
            message = f"{found[1]} (column {found[3]})" if found else str(error)
        except RecursionError:
            line, message = 0, "nested too deeply"
        raise CaseFileError([Problem(Place(str(self._path), line), f"no TOML: {message}")])

    def _complain(self, case: int | None, message: str, *keys: str) -> None:
        line = self._places.line(case, *keys)
        self._problems.append(Problem(Place(str(self._path), line), message))

    def _stop_if_wrong(self) -> None:
        if self._problems:
            raise CaseFileError(sorted(self._problems, key=lambda problem: problem.place.line))


def _parts(message: str) -> tuple[str, str]:
    """msgspec's message, and the path in the document that it is about."""
    found = _PATH.fullmatch(message)
    assert found is not None
    return found[1], found[2] or ""


def _first_given(key: str, case: Given, file: Given) -> Any:
    for said in (getattr(case, key), getattr(file, key)):
        if said is not msgspec.UNSET:
            return said
    return DEFAULTS[key]


def _turns(case: WrittenCase, helo: str, sender: str, recipient: str) -> Iterator[Turn]:
    """The rows of the dialogue, or one client, one sender, one recipient: everything is fine
    until the stage that `at` names."""
    if case.dialogue is not msgspec.UNSET:
        yield from (Turn(*row) for row in case.dialogue)
        return
    if case.reply is msgspec.UNSET:
        return
    commands = {
        "CONNECT": "CONNECT",
        "HELO": f"EHLO {helo}",
        "MAIL": f"MAIL FROM:<{sender}>",
        "RCPT": f"RCPT TO:<{recipient}>",
        "DATA": "DATA",
        "END": "END",
    }
    for stage, command in commands.items():
        if stage == case.at:
            yield Turn(command, case.reply, case.decided_by)
            return
        if stage != "HELO" or helo:
            yield Turn(command)
