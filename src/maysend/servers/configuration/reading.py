"""Read a maysend.toml: an error names file, line and key, and suggests the right one."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from maysend.servers.configuration.errors import ConfigurationError
from maysend.servers.configuration.lines import Path as KeyPath
from maysend.servers.configuration.lines import key_lines, line_of
from maysend.servers.configuration.settings import Configuration, ListenerSettings

Settings = TypeVar("Settings", bound=msgspec.Struct)

_SYNTAX = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)")
_AT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.*)`")

_NOT_IN_TOML = ("file", "listeners")


def read_configuration(file: Path, kinds: Mapping[str, type[ListenerSettings]]) -> Configuration:
    """Read `file`, whose listeners may be of `kinds`. Raises ConfigurationError."""
    try:
        text = file.read_text("utf-8")
    except OSError as problem:
        raise ConfigurationError(str(file), None, problem.strerror or str(problem)) from None
    except UnicodeDecodeError:
        raise ConfigurationError(str(file), None, "expected UTF-8 text") from None
    return _Reading(file, text).configuration(kinds)


class _Reading:
    """One file that is read: knows its lines."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = file
        self._lines = key_lines(text)
        try:
            self._content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            match = _SYNTAX.fullmatch(str(problem))
            line = int(match["line"]) if match is not None and match["line"] else None
            what = match["what"] if match is not None else str(problem)
            raise ConfigurationError(
                str(file), line, f"no TOML: {what[:1].lower()}{what[1:]}"
            ) from None

    def configuration(self, kinds: Mapping[str, type[ListenerSettings]]) -> Configuration:
        content = dict(self._content)
        listeners = content.pop("listener", [])
        known = [key for key in Configuration.__struct_fields__ if key not in _NOT_IN_TOML]
        self._refuse_unknown(content, (), [*known, "listener"])
        configuration = self._converted({**content, "file": self._file}, (), Configuration)
        if not isinstance(listeners, list) or not all(isinstance(at, dict) for at in listeners):
            self.refuse(("listener",), "each listener begins with a line [[listener]]")
        settings = [self._listener(item, at, kinds) for at, item in enumerate(listeners)]
        self._check(configuration)
        return msgspec.structs.replace(configuration, listeners=self._named(settings))

    def refuse(self, path: KeyPath, message: str) -> None:
        """Raise the error about `path`."""
        raise ConfigurationError(str(self._file), line_of(self._lines, path), message)

    def _listener(
        self, item: dict[str, Any], at: int, kinds: Mapping[str, type[ListenerSettings]]
    ) -> ListenerSettings:
        path: KeyPath = ("listener", at)
        known = ", ".join(f'"{kind}"' for kind in kinds)
        kind = item.get("kind")
        if kind is None:
            self.refuse(path, f"a listener without a kind: add kind = one of {known}")
        if kind not in kinds:
            self.refuse(
                (*path, "kind"),
                f"kind: no such kind of listener: {kind!r}"
                f"{_suggestion(str(kind), kinds)}; expected one of {known}",
            )
        settings = self._converted(item, path, kinds[str(kind)])
        try:
            settings.check()
        except ValueError as problem:
            self.refuse((*path, str(problem).partition(":")[0]), str(problem))
        return settings

    def _converted(self, content: object, path: KeyPath, type: type[Settings]) -> Settings:
        self._refuse_unknown_in(content, path, type)
        try:
            return msgspec.convert(content, type, strict=True)
        except msgspec.ValidationError as problem:
            match = _AT.fullmatch(str(problem))
            assert match is not None
            inner = tuple(name or int(index) for name, index in _STEP.findall(match["path"] or ""))
            missing = _MISSING.fullmatch(match["what"])
            if missing is not None:
                self.refuse((*path, *inner), f"{missing[1]} is missing here")
            key = ".".join(str(step) for step in inner)
            self.refuse((*path, *inner), f"{key}: {_in_toml_words(match['what'])}")
            raise

    def _refuse_unknown_in(
        self, content: object, path: KeyPath, type: type[msgspec.Struct]
    ) -> None:
        """Look for keys that nobody knows, in tables inside of tables too."""
        if not isinstance(content, dict):
            return
        self._refuse_unknown(content, path, type.__struct_fields__)
        hints = get_type_hints(type)
        for key, value in content.items():
            inner = hints.get(key)
            if isinstance(inner, _struct_type) and isinstance(value, dict):
                self._refuse_unknown_in(value, (*path, key), inner)

    def _refuse_unknown(
        self, content: Mapping[str, object], path: KeyPath, known: Iterable[str]
    ) -> None:
        for key in content:
            if key not in known:
                where = "".join(f" in [{part}]" for part in path[:1])
                self.refuse((*path, key), f"{key}: no such key{where}{_suggestion(key, known)}")

    def _check(self, configuration: Configuration) -> None:
        for key in ("workers", "decision_threads"):
            if getattr(configuration, key) < 1:
                self.refuse((key,), f"{key}: expected 1 or more")
        if configuration.grace < 0:
            self.refuse(("grace",), "grace: expected seconds, 0 or more")
        if configuration.follow.environment and not configuration.follow.docker_mailserver:
            self.refuse(("follow", "environment"), "environment: needs docker_mailserver beside it")
        for key in ("decisions_size", "decisions_keep"):
            if getattr(configuration.log, key) < 0:
                self.refuse(("log", key), f"{key}: expected 0 or more")
        try:
            address = configuration.metrics_address
        except ValueError as problem:
            self.refuse(("metrics", "address"), f"address: {problem}")
        else:
            if address is not None and address.path:
                self.refuse(("metrics", "address"), 'address: expected "inet:host:port"')

    def _named(self, listeners: list[ListenerSettings]) -> tuple[ListenerSettings, ...]:
        """The listeners with a name each; two of one name, or of one address, are refused."""
        named: list[ListenerSettings] = []
        for at, listener in enumerate(listeners):
            kinds_before = sum(listener.kind == other.kind for other in listeners[:at])
            default = f"{listener.kind}-{kinds_before + 1}" if kinds_before else listener.kind
            name = listener.name or default
            for other in named:
                if other.name == name:
                    self.refuse(("listener", at, "name"), f'name: two listeners are "{name}"')
                if other.address == listener.address and not listener.address.endswith(":0"):
                    self.refuse(
                        ("listener", at, "address"),
                        f'address: "{other.name}" listens on {listener.address} already',
                    )
            named.append(msgspec.structs.replace(listener, name=name))
        return tuple(named)


_struct_type = type(msgspec.Struct)


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean {close[0]}?" if close else ""


def _in_toml_words(text: str) -> str:
    """msgspec's message in the words of TOML."""
    for python, toml in (
        ("`str`", "a text in quotes"),
        ("`int`", "a whole number"),
        ("`float`", "a number"),
        ("`bool`", "true or false"),
        ("`object`", "a table"),
        ("`array`", "a list"),
    ):
        text = text.replace(python, toml)
    return text[:1].lower() + text[1:]
