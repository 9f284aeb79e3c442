"""What becomes of the values that a server sends: `result_format` and `expansion_limit`.

Sources: mysql_table(5), pgsql_table(5), sqlite_table(5), ldap_table(5), which word it the same.
"""

from collections.abc import Iterable

from maysend.tables.key_template import Address, Template
from maysend.tables.table import TableContext, TableError, Tell


class ResultFormat:
    """The `template` for each value, and the `limit` to their number (0: none)."""

    def __init__(self, template: Template, limit: int, spec: str, context: TableContext) -> None:
        self.template = template
        self._limit = limit
        self._spec = spec
        self._warn = context.warn
        self._tell = context.tell

    def answer(self, values: Iterable[str | None], key: str) -> str | None:
        """The formatted values, joined by commas; NULL and empty ones are skipped.

        Raises TableError (retry) where there are more than the limit.
        """
        found: list[str] = []
        for value in values:
            formatted = self._formatted(value, key)
            if self._tell is not None:
                self._show(self._tell, value, formatted)
            if formatted is None:
                continue
            found.append(formatted)
            if 0 < self._limit < len(found):
                raise TableError(self._spec, f"expansion limit exceeded for key '{key}'", "retry")
        return ",".join(found) or None

    def _show(self, tell: Tell, value: str | None, formatted: str | None) -> None:
        tell("value", "NULL" if value is None else f'"{value}"')
        if formatted is None:
            tell("skipped", "it is NULL, empty, or lacks a part that result_format needs")
        elif not self.template.copies:
            tell("formatted", f'"{formatted}"')

    def _formatted(self, value: str | None, key: str) -> str | None:
        """None where the value lacks a part, so that it does not count."""
        if value is None:
            return None
        if not value:
            self._warn(f'{self._spec}: empty lookup result for: "{key}" -- ignored')
            return None
        template = self.template
        if template.copies:
            return value
        of_value, of_key = Address.of(value), Address.of(key)
        if "d" in template.letters and not of_value.domain:
            return None
        if "u" in template.letters and not of_value.user:
            return None
        return template.expanded(
            lambda letter: (of_value if letter.islower() else of_key).part(letter)
        )
