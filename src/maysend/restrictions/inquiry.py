"""What one dialogue asks of tables, DNS and policy servers: the seam for every question."""

from collections.abc import Mapping

from mypy_extensions import mypyc_attr

from maysend.address.hostname import is_valid_hostname
from maysend.address.idn import is_valid_utf8_hostname
from maysend.delegation import PolicyService, PolicyServiceError
from maysend.dns import Answer, RecordType
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.keys import Found, Keys
from maysend.restrictions.resolution import AddressResolver
from maysend.restrictions.resolved_address import ResolvedAddress
from maysend.restrictions.site import Site
from maysend.restrictions.trace import Search, Step
from maysend.restrictions.waiting import WouldWait
from maysend.tables import OpenedTable, TableError


@mypyc_attr(acyclic=True)
class Inquiry:
    """The questions of one dialogue, each noted in the step that is evaluated.

    Where `may_wait` is off, what would have to be waited for raises WouldWait instead.
    """

    def __init__(self, site: Site, dialogue: Dialogue, resolver: AddressResolver) -> None:
        self.site = site
        self.dialogue = dialogue
        self.may_wait = True
        self._resolver = resolver
        self._current: Step | None = None
        self._resolved: dict[str, ResolvedAddress] = {}

    def lookup(self, table: OpenedTable, key: str) -> str | None:
        """Ask a table for one key. Raises TableError where the table has no answer now."""
        if table.blocking and not self.may_wait and not table.remembers(key):
            raise WouldWait(table.spec)
        try:
            answer = table.lookup(key)
        except TableError as error:
            self._record(Search(table.spec, (key,), None, error.reason))
            raise
        self._record(Search(table.spec, (key,), answer))
        return answer

    def search(self, table: OpenedTable, keys: Keys) -> Found | None:
        """Ask a table for one key after the other, up to the first that it knows.

        Raises TableError where the table has no answer now.
        """
        asked = keys.asked
        if table.blocking and not self.may_wait and not all(map(table.remembers, asked)):
            raise WouldWait(table.spec)
        if not (keys.are_folded and table.lacks(asked)):
            for key in asked:
                try:
                    answer = table.lookup(key)
                except TableError as error:
                    self._record(Search(table.spec, _up_to(key, asked), None, error.reason))
                    raise
                if answer is not None:
                    self._record(Search(table.spec, _up_to(key, asked), answer))
                    return Found(key, answer)
        if asked:
            self._record(Search(table.spec, asked))
        return None

    def query_dns(self, name: str, type: RecordType) -> Answer:
        """Ask for the records of a name; in the trace as "dns:MX"."""
        if self.site.resolver.blocking and not self.may_wait:
            raise WouldWait(name)
        answer = self.site.resolver.query(name, type)
        found = ", ".join(map(str, answer.records)) or None
        error = answer.reason or "no answer" if answer.status == "failed" else None
        self._record(Search(f"dns:{type}", (name,), found, error))
        return answer

    def ask_policy_service(self, service: PolicyService, attributes: Mapping[str, str]) -> str:
        """Ask a policy server; in the trace with all attributes that have a value.

        Raises PolicyServiceError where there is no usable answer.
        """
        services = self.site.policy_services
        if services.blocking and not self.may_wait:
            raise WouldWait(service.server)
        told = "\n".join(f"{name}={value}" for name, value in attributes.items() if value)
        asked = Search(f"policy service {service.server}", (told,))
        self._record(asked)
        try:
            asked.answer = services.ask(service, attributes)
        except PolicyServiceError as error:
            asked.error = str(error)
            raise
        return asked.answer

    def resolution_of(self, address: str) -> ResolvedAddress:
        """The address rewritten and resolved, or what failed; it is resolved once a message."""
        known = self._resolved.get(address)
        if known is None:
            known = self._resolver.resolve_unasked(address)
            if known is None:
                known = self._resolver.resolve(address, self.lookup)
            self._resolved[address] = known
        return known

    def is_hostname(self, name: str) -> bool:
        """Whether this can be a host name; an internationalised one only in an SMTPUTF8 message."""
        return is_valid_hostname(name) or (self.dialogue.smtputf8 and is_valid_utf8_hostname(name))

    def note(self, text: str) -> None:
        """Say in the trace what decided, where it was not a lookup."""
        if self._current is not None:
            self._current.note = text

    def note_owner_maps(self, specs: tuple[str, ...]) -> None:
        """Say in the trace that owners were looked up in these tables, first match wins."""
        if self._current is not None:
            self._current.owner_maps = specs

    def _record(self, search: Search) -> None:
        step = self._current
        if step is not None:
            step.searches = (*step.searches, search) if step.searches else (search,)


def _up_to(key: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    return keys if len(keys) == 1 else keys[: keys.index(key) + 1]
