"""Which policy a command is about: a Postfix configuration directory, or maysend's own."""

from collections.abc import Mapping

from maysend.maincf import Parameters
from maysend.policy import Policy
from maysend.tables.table import Opener


class PolicySource:
    """Where the policy of `-c DIR`, `--service` and `--config` comes from."""

    def __init__(
        self, directory: str | None, service: str | None = None, config: str | None = None
    ) -> None:
        self._directory = directory
        self._service = service
        self._config = config

    def policy(self, overrides: Mapping[str, str] | None = None) -> Policy:
        """The policy, with other values of some parameters where `overrides` has them.

        Raises MainCfError and PolicyError as Policy does.
        """
        if self._directory is None:
            return Policy.builtin(self._directory_tables(), overrides)
        parameters = Parameters.load(self._directory, self._service)
        if overrides:
            parameters = parameters.replaced(overrides)
        return Policy(parameters, self._tables_if_any())

    def _directory_tables(self) -> Mapping[str, Opener]:
        from maysend.directory import Directory
        from maysend.directory.location import directory_url

        return Directory.open(directory_url(self._config)).table_types()

    def _tables_if_any(self) -> Mapping[str, Opener]:
        """A Postfix configuration has no `directory:` tables, unless maysend.toml names one."""
        return {} if self._config is None else self._directory_tables()
