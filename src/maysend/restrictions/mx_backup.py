"""permit_mx_backup: mail for domains whose backup mail exchanger is this host (postconf(5)).

The domain's best MX hosts must not be this host, one of the others must be, and the best must be
in $permit_mx_backup_networks where that is set. Mail for our own domains and $relay_domains is
permitted too. Where DNS can't tell, what would be rejected is deferred: 450 4.4.4.
"""

from collections.abc import Sequence

from maysend.dns import Record
from maysend.restrictions.destination import is_authorized
from maysend.restrictions.dns_lookup import Status, find_records, in_ascii
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.host_addresses import addresses_of
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.replies import RECIPIENT
from maysend.restrictions.resolution import is_suspicious
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.tables import TableError
from maysend.tables.match_list import MatchList


def permit_mx_backup(item: Item, site: Site) -> Check:
    """Permit a recipient whose domain names this host as a backup."""
    networks = site.match_list("permit_mx_backup_networks")
    is_limited = bool(site.parameters["permit_mx_backup_networks"].strip())

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if recipient is None:
            return DUNNO
        if is_authorized(evaluation, recipient):
            return OK
        resolved = evaluation.resolved(recipient)
        if is_suspicious(resolved, site):
            return DUNNO
        if "@" not in resolved.address:
            return OK
        backup = _Backup(evaluation, recipient)
        best, others = backup.mail_exchangers(resolved.domain)
        if backup.is_here(best) or not backup.is_here(others):
            return DUNNO
        if is_limited and not backup.are_in(networks, best):
            return DUNNO
        return OK

    return check


class _Backup:
    """The questions about one recipient's mail exchangers."""

    def __init__(self, evaluation: Evaluation, recipient: str) -> None:
        self._evaluation = evaluation
        self._recipient = recipient

    def mail_exchangers(self, domain: str) -> tuple[list[Record], list[Record]]:
        """Those of the best preference, and the others in the order of theirs."""
        found = find_records(self._evaluation, in_ascii(domain), "MX")
        if found.status in (Status.FAILED, Status.FILTERED):
            self._defer(f"Unable to look up mail exchanger information: {found.reason}")
        if not found.records:
            return [], []
        ordered = sorted(found.records, key=lambda record: record.preference)
        best = ordered[0].preference
        count = sum(record.preference == best for record in ordered)
        return ordered[:count], ordered[count:]

    def is_here(self, exchangers: Sequence[Record]) -> bool:
        """Whether one of these hosts is this one: by its name or, where none is, by an address.

        No address is asked for where a name tells: smtpd defers nothing then for another host that
        has none (tests/cases).
        """
        hosts = [record.data for record in exchangers]
        return any(map(self._has_our_name, hosts)) or any(map(self._has_our_address, hosts))

    def are_in(self, networks: MatchList, exchangers: Sequence[Record]) -> bool:
        """Whether every address of these hosts is in the networks."""
        return all(self._is_in(networks, record.data) for record in exchangers)

    def _has_our_name(self, host: str) -> bool:
        evaluation, site = self._evaluation, self._evaluation.site
        if host.lower() == site.rewriting.myhostname.lower():
            return True
        try:
            return site.is_local(host, evaluation.lookup)
        except TableError:
            return False  # smtpd goes on to compare addresses

    def _has_our_address(self, host: str) -> bool:
        own = self._evaluation.site.own_addresses
        return any(address in own for address in self._addresses(host))

    def _is_in(self, networks: MatchList, host: str) -> bool:
        addresses = self._addresses(host)
        try:
            return bool(addresses) and all(
                networks.match_host(host, address, self._evaluation.lookup) is not None
                for address in addresses
            )
        except TableError:
            self._defer(f"Unable to verify host {host} as mail exchanger")
            return False

    def _addresses(self, host: str) -> tuple[str, ...]:
        found = addresses_of(self._evaluation, host)
        if found.error:
            self._defer(f"Unable to look up mail exchanger host {host}: {found.error}")
        return found.addresses

    def _defer(self, reason: str) -> None:
        text = f"<{self._recipient}>: {RECIPIENT} rejected: {reason}"
        self._evaluation.defer_instead_of_reject(450, "4.4.4", text)
