"""What a policy's main.cf says of a dialogue besides who may send."""

from collections.abc import Callable

from maysend.policy import Policy
from maysend.servers.submission.peer import Peer
from maysend.servers.submission.sasl_settings import SaslSettings
from maysend.tables import LookupTable, TableError


class Terms:
    """A dialogue goes on with the terms that it began with, as in smtpd, when main.cf changes.

    Raises MainCfError where main.cf says of SASL what smtpd would not start with.
    """

    def __init__(self, policy: Policy, log: Callable[[str], None]) -> None:
        self.policy = policy
        self.offers_auth = policy.parameters.boolean("smtpd_sasl_auth_enable")
        self.sasl = SaslSettings.from_parameters(policy.parameters)
        self._no_auth_for = policy.site.match_list("smtpd_sasl_exceptions_networks", "none")
        self._log = log

    def hides_auth_from(self, peer: Peer) -> bool:
        """Whether EHLO is not to name AUTH to this client (smtpd_sasl_exceptions_networks)."""
        try:
            return self._no_auth_for.match_host(peer.name, peer.address, _ask) is not None
        except TableError as problem:
            self._log(f"warning: {problem}")
            return True


def _ask(table: LookupTable, key: str) -> str | None:
    return table.lookup(key)
