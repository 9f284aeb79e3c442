"""How the entries that a search found become values: the four kinds of result attributes.

Source: ldap_table(5), special_, terminal_ and leaf_result_attribute.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from maysend.tables.ldap_connection import Entry, NoSuchEntryError
from maysend.tables.ldap_parameters import ResultAttributes, Scope
from maysend.tables.ldap_url import LdapUrl, is_subtype, is_url
from maysend.tables.table import TableError

Search: TypeAlias = Callable[[str, Scope, str, Sequence[str]], list[Entry]]
"""Base, scope, filter, attributes → entries; raises NoSuchEntryError, TableError."""

_BUT_TERMINAL = ("leaf", "ordinary", "special")


class Reference(msgspec.Struct, frozen=True):
    """A value that names other entries: a distinguished name or an LDAP URL."""

    text: str


class Expansion:
    """Expands the entries of the table `spec`, at most `depth` searches deep."""

    def __init__(
        self, spec: str, attributes: ResultAttributes, depth: int, warn: Callable[[str], None]
    ) -> None:
        self._spec = spec
        self._attributes = attributes
        self._depth = depth
        self._warn = warn
        self.names = attributes.all
        kinds = [(name.lower(), kind) for kind in ("terminal", "leaf", "ordinary", "special")
                 for name in getattr(attributes, kind)]  # fmt: skip
        self._kinds = dict(reversed(kinds))  # where a name is in two lists, the first counts
        self._plain = not (attributes.terminal or attributes.leaf or attributes.special)

    def values(self, entries: Sequence[Entry], search: Search) -> Iterator[str]:
        """The values in the order in which Postfix meets them; references are followed at once.

        Raises TableError (retry) where a reference can't be followed or nests too deeply. That a
        referenced entry is missing is a warning.
        """
        # No recursion: recursion_limit may well be more than what Python's own stack holds.
        levels = [self._steps(entries)]
        while levels:
            step = next(levels[-1], None)
            if step is None:
                levels.pop()
            elif isinstance(step, str):
                yield step
            elif len(levels) >= self._depth:
                raise TableError(self._spec, f"recursion limit exceeded at {step.text}", "retry")
            else:
                levels.append(self._steps(self._referenced(step.text, search)))

    def _steps(self, entries: Sequence[Entry]) -> Iterator[str | Reference]:
        left_out: tuple[str, ...] = ()
        for entry in entries:
            left_out = self._left_out(entry, left_out)
            for name, values in entry.items():
                kind = self._kind(name)
                if kind is None or kind in left_out:
                    continue
                for value in values:
                    text = value.partition(b"\0")[0].decode("utf-8", "surrogateescape")
                    yield Reference(text) if kind == "special" else text

    def _left_out(self, entry: Entry, before: tuple[str, ...]) -> tuple[str, ...]:
        """The kinds of attributes that do not count in this entry.

        Where an entry before, found by the same search, left some out, this one does too: so does
        Postfix, against ldap_table(5).
        """
        if self._plain or before == _BUT_TERMINAL:
            return before
        names = {name.lower() for name, values in entry.items() if values}
        if any(name.lower() in names for name in self._attributes.terminal):
            return _BUT_TERMINAL
        if any(name.lower() in names for name in self._attributes.special):
            return ("leaf",)
        return before

    def _kind(self, name: str) -> str | None:
        kind = self._kinds.get(name.lower())
        if kind is None and ";" in name:
            return next((self._kinds[own.lower()] for own in self.names if is_subtype(name, own)),
                        None)  # fmt: skip
        return kind

    def _referenced(self, text: str, search: Search) -> list[Entry]:
        try:
            if not is_url(text):
                return search(text, "base", "objectclass=*", self.names)
            url = LdapUrl.parse(text)
            names = url.wanted(self.names)
            return search(url.base, url.scope, url.filter_text, names) if names else []
        except NoSuchEntryError:
            self._warn(f"{self._spec}: {text} not found, skipping")
            return []
        except ValueError as error:
            raise TableError(self._spec, str(error), "retry") from error
