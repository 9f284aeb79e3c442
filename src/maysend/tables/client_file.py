"""The parameters of a table that asks a database: `name = value` in its own file.

Such a file has the format of main.cf, but `$name` is not expanded (sqlite_table(5)).
"""

from collections.abc import Mapping

from maysend.maincf.errors import MainCfError
from maysend.maincf.lines import logical_lines, read, starts_with_whitespace
from maysend.tables.table import TableContext, TableError


class ClientParameters:
    """The parameters of the table `spec`, from a file or from main.cf's `NAME_parameter`."""

    def __init__(self, spec: str, values: Mapping[str, str]) -> None:
        self.spec = spec
        self._values = values

    @classmethod
    def load(cls, spec: str, context: TableContext) -> "ClientParameters":
        """Read them. Raises TableError (config) with file and line.

        A name that starts with "/" or "." is a file; any other is the prefix of main.cf
        parameters, the old way.
        """
        name = spec.partition(":")[2]
        if name.startswith(("/", ".")):
            return cls(spec, _read_file(name, spec, context))
        prefix = f"{name}_"
        parameters = context.parameters
        return cls(spec, {key.removeprefix(prefix): parameters[key] for key in parameters
                          if key.startswith(prefix)})  # fmt: skip

    def text(self, name: str, default: str = "") -> str:
        """The value, or `default` where it is not set."""
        return self._values.get(name, default)

    def required(self, name: str, default: str = "") -> str:
        """A value that may not be empty. Raises TableError (config)."""
        value = self.text(name, default)
        if not value:
            raise TableError(self.spec, f"{name} is not set or empty", "config")
        return value

    def number(self, name: str, default: int) -> int:
        """A value that is a whole number. Raises TableError (config)."""
        value = self.text(name, str(default))
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise TableError(self.spec, f"bad numerical configuration: {name} = {value}", "config")
        return int(value)


def _read_file(path: str, spec: str, context: TableContext) -> dict[str, str]:
    values: dict[str, str] = {}
    context.sources.note(path)
    try:
        for line in logical_lines(read(path), path):
            if starts_with_whitespace(line):
                context.warn(
                    f"{path}, line {line.line}: logical line must not start with whitespace "
                    "-- ignoring this line"
                )
                continue
            setting = line.setting(0, len(line.text))
            values[setting.name] = setting.raw
    except MainCfError as error:
        raise TableError(spec, str(error), "config") from error
    return values
