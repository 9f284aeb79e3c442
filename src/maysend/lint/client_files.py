"""The files of tables that ask a database or an LDAP server, with the place of every value."""

from collections.abc import Iterator, Mapping

import msgspec

from maysend.lint.configuration import Smtpd
from maysend.lint.probing import parts_of
from maysend.lint.table_uses import table_uses
from maysend.maincf import MainCfError, Place
from maysend.maincf.lines import logical_lines, read, starts_with_whitespace
from maysend.maincf.settings import Setting

SQL = ("mysql", "pgsql", "sqlite")
TYPES = (*SQL, "ldap")


class ClientFile(msgspec.Struct, frozen=True):
    """One such file: `used_by` is the parameter or restriction that names its table."""

    type_name: str
    path: str
    used_by: str
    settings: Mapping[str, Setting]

    def value(self, name: str, default: str = "") -> str:
        """The value of a parameter, as written."""
        setting = self.settings.get(name)
        return default if setting is None else setting.raw

    def place(self, name: str) -> Place:
        """Where a parameter's value is written; the file where it is not."""
        setting = self.settings.get(name)
        return Place(self.path, 0) if setting is None else setting.place_at(0)


def client_files(smtpd: Smtpd, types: tuple[str, ...] = TYPES) -> Iterator[ClientFile]:
    """The files of the policy's tables of these types, also inside unions and behind proxy:.

    What can't be read is left out: the table is unusable then (MS002).
    """
    seen: set[tuple[str, str]] = set()
    for use in table_uses(smtpd):
        for table in parts_of(use.table):
            spec = table.spec.removeprefix("proxy:")
            type_name, _, path = spec.partition(":")
            if type_name not in types or not path.startswith("/") or (spec, use.used_by) in seen:
                continue
            seen.add((spec, use.used_by))
            settings = _settings(path)
            if settings is not None:
                yield ClientFile(type_name, path, use.used_by, settings)


def _settings(path: str) -> Mapping[str, Setting] | None:
    settings = {}
    try:
        for line in logical_lines(read(path), path):
            if not starts_with_whitespace(line):
                setting = line.setting(0, len(line.text))
                settings[setting.name] = setting
    except MainCfError:
        return None
    return settings
