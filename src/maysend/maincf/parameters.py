"""The parameters of one Postfix configuration: what is set, what is default, and where."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike, fspath
from os.path import join

from maysend.maincf import conversion
from maysend.maincf.defaults import NEVER_EXPANDED, NONE, Default, all_of_postfix
from maysend.maincf.errors import MainCfError
from maysend.maincf.expansion import Expansion
from maysend.maincf.host import Host
from maysend.maincf.lines import logical_lines, read, starts_with_whitespace
from maysend.maincf.place import Place
from maysend.maincf.settings import Setting
from maysend.maincf.traced import Piece, TracedText


class _Loop(Exception):
    """The default of `name` depends on itself."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Parameters(Mapping[str, str]):
    """Parameter name → expanded value, the default where it is not set (postconf(5)).

    It never changes; reading a value twice is a dictionary lookup. A name that is neither set nor
    known to Postfix is a KeyError; a value that can't be expanded is a MainCfError, when it is
    read and not before, as in Postfix.
    """

    __slots__ = (
        "_defaults", "_expansion", "_settings", "_texts", "_traced", "_worked_out_for",
        "directory", "host", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        settings: Mapping[str, Setting],
        *,
        directory: str = "/etc/postfix",
        defaults: Mapping[str, Default] = NONE,
        host: Host | None = None,
        warnings: tuple[str, ...] = (),
        worked_out_for: frozenset[str] = frozenset(),
    ) -> None:
        """`worked_out_for` names the parameters whose default is being worked out with these."""
        self._worked_out_for = worked_out_for
        self.directory = directory
        self.warnings = warnings
        self._settings = settings
        self._defaults = defaults
        self.host = host or Host()
        self._texts: dict[str, str] = {}
        self._traced: dict[str, TracedText] = {}
        self._expansion = Expansion(self._setting_or_default)

    @classmethod
    def load(
        cls, directory: str | PathLike[str], service: str | None = None, *, host: Host | None = None
    ) -> "Parameters":
        """Read `directory`/main.cf and, for a service of master.cf, its `-o` parameters.

        `service` is a name ("submission", "587") or a name and type ("submission/inet"). Raises
        MainCfError where a file can't be read, or a line in it is no setting.
        """
        settings, warnings = _read_main_cf(join(directory, "main.cf"))
        if service is not None:
            settings.update(_read_service(join(directory, "master.cf"), service))
        return cls(
            settings,
            directory=fspath(directory),
            defaults=all_of_postfix(),
            host=host,
            warnings=tuple(warnings),
        )

    @classmethod
    def from_mapping(
        cls,
        values: Mapping[str, str],
        *,
        file: str = "<parameters>",
        defaults: bool = True,
        directory: str = "/etc/postfix",
        host: Host | None = None,
    ) -> "Parameters":
        """Parameters given as name → raw value, as main.cf would hold them.

        With `defaults=False` only these are known.
        """
        table = all_of_postfix() if defaults else NONE
        return cls(_settings_of(values, file), directory=directory, defaults=table, host=host)

    def replaced(self, values: Mapping[str, str], *, file: str = "<parameters>") -> "Parameters":
        """A copy in which these raw values stand instead, as `-o name=value` would set them."""
        return Parameters(
            {**self._settings, **_settings_of(values, file)},
            directory=self.directory,
            defaults=self._defaults,
            host=self.host,
            warnings=self.warnings,
            worked_out_for=self._worked_out_for,
        )

    def __getitem__(self, name: str) -> str:
        text = self._texts.get(name)
        if text is None:
            text = self._texts[name] = self._text(name)
        return text

    def traced(self, name: str) -> TracedText:
        """The expanded value with the place of each of its characters."""
        traced = self._traced.get(name)
        if traced is None:
            setting = self._known(name)
            whole = [Piece(setting.raw, setting, 0)]
            is_raw = name in NEVER_EXPANDED or "$" not in setting.raw
            traced = TracedText(setting, whole if is_raw else self._expansion.pieces(setting))
            self._traced[name] = traced
        return traced

    def setting(self, name: str) -> Setting | None:
        """What sets the parameter; None where it is a default."""
        return self._settings.get(name)

    def names(self) -> Iterable[str]:
        """The names that are set, in the order of the files."""
        return self._settings.keys()

    def boolean(self, name: str) -> bool:
        """The value as yes or no; raises MainCfError."""
        try:
            return conversion.boolean(self[name])
        except ValueError as error:
            raise self._wrong(name, error) from None

    def integer(self, name: str) -> int:
        """The value as a number; raises MainCfError."""
        try:
            return conversion.integer(self[name])
        except ValueError as error:
            raise self._wrong(name, error) from None

    def seconds(self, name: str) -> int:
        """The value as a time in seconds; raises MainCfError.

        Without a unit the one of the parameter's default is meant, seconds for a parameter that
        Postfix doesn't know.
        """
        default = self._default(name)
        text = self[name]
        unit = "s"
        if default is not None and text.isdigit():
            only_defaults = Parameters({}, defaults=self._defaults, host=self.host)
            unit = conversion.unit_of(only_defaults[name])
        try:
            return conversion.seconds(text, unit)
        except ValueError as error:
            raise self._wrong(name, error) from None

    def __iter__(self) -> Iterator[str]:
        yield from self._settings
        yield from (name for name in self._defaults if name not in self._settings)

    def __len__(self) -> int:
        return len(self._settings.keys() | self._defaults.keys())

    def __contains__(self, name: object) -> bool:
        return name in self._settings or name in self._defaults

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"Parameters({self.directory!r}, {len(self._settings)} set)"

    def _text(self, name: str) -> str:
        setting = self._known(name)
        return self.traced(name).text if "$" in setting.raw else setting.raw

    def _known(self, name: str) -> Setting:
        setting = self._setting_or_default(name)
        if setting is None:
            raise KeyError(name)
        return setting

    def _setting_or_default(self, name: str) -> Setting | None:
        return self._settings.get(name) or self._default(name)

    def _default(self, name: str) -> Setting | None:
        default = self._defaults.get(name)
        if default is None:
            return None
        raw = default if isinstance(default, str) else self._worked_out(name, default)
        return Setting.default(name, raw)

    def _worked_out(self, name: str, default: Callable[["Parameters", Host], str]) -> str:
        """A default that depends on other parameters.

        Where these depend on it in turn, as after `mydomain = $myhostname`, Postfix works them out
        with an empty value for it.
        """
        if name in self._worked_out_for:
            raise _Loop(name)
        inner = Parameters(
            self._settings,
            directory=self.directory,
            defaults=self._defaults,
            host=self.host,
            worked_out_for=self._worked_out_for | {name},
        )
        try:
            return default(inner, self.host)
        except _Loop as loop:
            if loop.name != name:
                raise
            return default(self.replaced({name: ""}), self.host)

    def _wrong(self, name: str, error: ValueError) -> MainCfError:
        return MainCfError(f"{name}: {error}", self.traced(name).place())


def _settings_of(values: Mapping[str, str], file: str) -> dict[str, Setting]:
    return {
        name: Setting(name, raw, Place(file, line))
        for line, (name, raw) in enumerate(values.items(), 1)
    }


def _read_service(path: str, wanted: str) -> dict[str, Setting]:
    """What the service of master.cf sets for itself, its name included."""
    from maysend.maincf import master  # only when a service is asked for

    service = master.select(master.parse(read(path), path), wanted, path)
    settings = {setting.name: setting for setting in service.settings}
    return {"service_name": Setting("service_name", service.name, service.place), **settings}


def _read_main_cf(path: str) -> tuple[dict[str, Setting], list[str]]:
    """The settings of main.cf by name, the last one of each, and what Postfix would warn of."""
    settings: dict[str, Setting] = {}
    warnings: list[str] = []
    for line in logical_lines(read(path), path):
        if starts_with_whitespace(line):
            warnings.append(f"{line.place_at(0)}: logical line must not start with whitespace")
            continue
        setting = line.setting(0, len(line.text))
        earlier = settings.pop(setting.name, None)
        if earlier is not None:
            warnings.append(f"{setting.place}: {setting.name} overrides {earlier.place}")
        settings[setting.name] = setting
    return settings, warnings
