"""One configured site: its parameters, with the tables, lists and addresses compiled once."""

from collections.abc import Callable, Mapping
from math import inf
from typing import Final

import msgspec

from maysend.address import Rewriting, rewrite
from maysend.delegation import PolicyServices, SocketPolicyServices
from maysend.dns import Resolver, SystemResolver
from maysend.maincf import Parameters, interfaces, tokens
from maysend.restrictions.observing import observed_restrictions
from maysend.tables import OpenedTable, TableContext, open_table
from maysend.tables.match_list import MatchList, Subdomains
from maysend.tables.table import Opener, Warn, ignore

_MOST_WARNINGS: Final = 1000


class Site:
    """What main.cf says about this host, ready to be asked.

    Every table is opened once, whichever parameters name it; `warnings` are what Postfix would
    log while opening them, and the first of what comes later. `on_warning` is told what comes
    after it was set. `resolver` answers questions about names; without one, the name servers
    of this host do. `policy_services` answers for policy servers; without one, they themselves do.
    `clock` tells the seconds since 1970; without one, everything is too old. `opened` are tables
    that another site of the same host has opened already, by their spec; what is opened here is
    added. Raises MainCfError where a value can't be read as what it has to be.
    """

    def __init__(
        self,
        parameters: Parameters,
        extra_types: Mapping[str, Opener] | None = None,
        resolver: Resolver | None = None,
        policy_services: PolicyServices | None = None,
        clock: Callable[[], float] = lambda: inf,
        opened: dict[str, OpenedTable] | None = None,
    ) -> None:
        self.parameters = parameters
        self.clock = clock
        self.resolver: Resolver = resolver or SystemResolver()
        self.policy_services: PolicyServices = policy_services or SocketPolicyServices()
        self.warnings: list[str] = []
        self.on_warning: Warn = ignore
        self._tables: dict[str, OpenedTable] = {} if opened is None else opened
        self._codes: dict[str, int] = {}
        self._context = TableContext(
            parameters=parameters, extra_types=extra_types or {}, warn=self.warn
        )
        self._subdomain_lists = frozenset(
            token.text for token in tokens.split(parameters["parent_domain_matches_subdomains"])
        )
        self.observed = observed_restrictions(parameters)
        self.soft_bounce = parameters.boolean("soft_bounce")
        self.utf8 = parameters.boolean("smtputf8_enable")
        self.allows_untrusted_routing = parameters.boolean("allow_untrusted_routing")
        self.delays_rejects = parameters.boolean("smtpd_delay_reject")
        self.sasl_is_active = parameters.boolean("smtpd_sasl_auth_enable")
        self.recipient_delimiter = parameters["recipient_delimiter"]
        self.null_sender_key = parameters["smtpd_null_access_lookup_key"]
        self.myorigin = parameters["myorigin"]
        self.access_parents: Subdomains = self.subdomains("smtpd_access_maps")
        self.rewriting = _rewriting(parameters)
        self.mydestination = self.match_list("mydestination", "none")
        self.relay_domains = self.match_list("relay_domains")
        self.virtual_alias_domains = self.match_list("virtual_alias_domains", "none")
        self.virtual_mailbox_domains = self.match_list("virtual_mailbox_domains", "none")
        self.relocated_maps = self.tables("relocated_maps")
        self.dns_reply_filter = self.tables("smtpd_dns_reply_filter")
        self.address_families = self._address_families()
        self.verify_sender = self._verify_sender()
        self.interface_addresses = interfaces.own_addresses(parameters)
        self.own_addresses = self.interface_addresses | interfaces.proxy_addresses(parameters)

    def warn(self, warning: str) -> None:
        """Note what Postfix would log as a warning."""
        if len(self.warnings) < _MOST_WARNINGS:  # a server runs for months
            self.warnings.append(warning)
        self.on_warning(warning)

    def _verify_sender(self) -> str:
        """The sender of address verification probes: mail to it is thrown away unseen."""
        sender = self.parameters["address_verify_sender"]
        return rewrite(sender, self.rewriting) if sender not in ("", "<>") else ""

    def _address_families(self) -> frozenset[str]:
        """The kinds of addresses in $inet_protocols."""
        names = {token.text.lower() for token in tokens.split(self.parameters["inet_protocols"])}
        return frozenset(("ipv4", "ipv6")) if "all" in names else frozenset(names)

    def code(self, name: str) -> int:
        """An SMTP reply code parameter, `access_map_reject_code` and the like."""
        code = self._codes.get(name)
        if code is None:
            code = self._codes[name] = self.parameters.integer(name)
        return code

    def table(self, spec: str) -> OpenedTable:
        """The table named `type:name`, opened once."""
        known = self._tables.get(spec)
        if known is None:
            known = self._tables[spec] = open_table(spec, self._context)
        return known

    def tables(self, parameter: str) -> tuple[OpenedTable, ...]:
        """The tables that a parameter such as smtpd_sender_login_maps lists, in order."""
        specs = [token.text for token in tokens.split(self.parameters[parameter])]
        warned = len(self.warnings)
        tables = tuple(self._opened(parameter, spec) for spec in specs)
        if self.parameters.setting(parameter) is None:
            # Nobody wrote it: a table of Postfix's own default that is not here is no news.
            del self.warnings[warned:]
        return tables

    def _opened(self, parameter: str, spec: str) -> OpenedTable:
        if parameter != "transport_maps":
            return self.table(spec)
        # Opened without substitution there: not the same table as elsewhere.
        context = msgspec.structs.replace(self._context, substitutes=False)
        return open_table(spec, context)

    def subdomains(self, feature: str) -> Subdomains:
        """Whether a listed domain matches its subdomains in `feature` (postconf(5))."""
        return "parent" if feature in self._subdomain_lists else "dot"

    def match_list(self, parameter: str, subdomains: Subdomains | None = None) -> MatchList:
        """A list parameter, compiled."""
        return MatchList(
            parameter,
            self.parameters[parameter],
            self.table,
            subdomains or self.subdomains(parameter),
            utf8=self.utf8,
            warn=self._context.warn,
        )

    def is_local(self, domain: str, ask: Callable[[OpenedTable, str], str | None]) -> bool:
        """Whether a domain is this host's: $mydestination, or a literal of its interfaces.

        Raises TableError where $mydestination can't be read now.
        """
        if domain[-1:] == "." and not domain.endswith(".."):
            domain = domain[:-1]
        if self.mydestination.match_name(domain, ask) is not None:
            return True
        if domain[-1:] != "]" or domain[0] != "[":
            return False
        literal = domain[1:-1]
        if literal[:5].lower() == "ipv6:":
            literal = literal[5:]
        return literal.lower() in self.own_addresses


def _rewriting(parameters: Parameters) -> Rewriting:
    """The parameters that trivial-rewrite(8) rewrites addresses by."""
    return Rewriting(
        myhostname=parameters["myhostname"],
        myorigin=parameters["myorigin"],
        mydomain=parameters["mydomain"],
        append_at_myorigin=parameters.boolean("append_at_myorigin"),
        append_dot_mydomain=parameters.boolean("append_dot_mydomain"),
        swap_bangpath=parameters.boolean("swap_bangpath"),
        allow_percent_hack=parameters.boolean("allow_percent_hack"),
        allow_min_user=parameters.boolean("allow_min_user"),
        resolve_dequoted_address=parameters.boolean("resolve_dequoted_address"),
        resolve_null_domain=parameters.boolean("resolve_null_domain"),
        resolve_numeric_domain=parameters.boolean("resolve_numeric_domain"),
        empty_address_recipient=parameters["empty_address_recipient"],
        smtputf8_enable=parameters.boolean("smtputf8_enable"),
    )
