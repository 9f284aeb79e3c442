"""Which policy a command is about: a Postfix configuration directory, or maysend's own."""

from collections.abc import Mapping

from maysend.delegation import PolicyServices
from maysend.dns import Resolver
from maysend.maincf import Parameters
from maysend.policy import Policy
from maysend.tables.table import Opener


class PolicySource:
    """Where the policy comes from.

    `postfix` is a Postfix configuration directory and `service` one of its services; without it
    the policy is maysend's own, on the directory at the URL `database`, or of the maysend.toml
    named by `config`. `resolver` answers for DNS, in place of this host's name servers,
    and `policy_services` for policy servers.
    """

    def __init__(
        self,
        postfix: str | None,
        service: str | None = None,
        database: str | None = None,
        config: str | None = None,
        resolver: Resolver | None = None,
        policy_services: PolicyServices | None = None,
    ) -> None:
        self._postfix = postfix
        self._service = service
        self._database = database
        self._config = config
        self._resolver = resolver
        self._policy_services = policy_services

    def policy(self, overrides: Mapping[str, str] | None = None) -> Policy:
        """The policy, with other values of some parameters where `overrides` has them.

        Raises MainCfError and PolicyError as Policy does, DirectoryError where there is none.
        """
        if self._postfix is None:
            return Policy.builtin(
                self._directory_tables(), overrides, self._resolver, self._policy_services
            )
        parameters = Parameters.load(self._postfix, self._service)
        if overrides:
            parameters = parameters.replaced(overrides)
        return Policy(parameters, self._tables_if_any(), self._resolver, self._policy_services)

    def _directory_tables(self) -> Mapping[str, Opener]:
        from maysend.directory import Directory
        from maysend.directory.location import directory_url

        return Directory.open(directory_url(self._config, self._database)).table_types()

    def _tables_if_any(self) -> Mapping[str, Opener]:
        """A Postfix configuration has no `directory:` tables, unless one is named."""
        named = self._config is not None or self._database is not None
        return self._directory_tables() if named else {}
