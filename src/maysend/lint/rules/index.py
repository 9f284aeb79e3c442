"""Which code is which rule. To add one: write its file, then its line here.

MS0 is about a configuration that can't be used, MS1 about tables, MS2 about restrictions, MS3
about submission, MS4 about domains.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TypeAlias

import msgspec

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem, Severity

Check: TypeAlias = Callable[[Smtpd], Iterator[Problem]]
"""What a rule's module has as `check`. May raise MainCfError and TableError."""


class Rule(msgspec.Struct, frozen=True):
    """A rule's name, how bad its findings usually are, and the module it is in."""

    name: str
    severity: Severity
    module: str

    def load(self) -> Check:
        """The check of the rule's module."""
        check: Check = import_module(f"maysend.lint.rules.{self.module}").check
        return check

    def page(self) -> str:
        """The rule's manual page: its module's docstring."""
        return (import_module(f"maysend.lint.rules.{self.module}").__doc__ or "").strip()


RULES: dict[str, Rule] = {
    "MS001": Rule("refused-configuration", Severity.ERROR, "refused_configuration"),
    "MS002": Rule("unusable-table", Severity.ERROR, "unusable_table"),
    "MS003": Rule("broken-restriction", Severity.ERROR, "broken_restriction"),
    "MS101": Rule("shadowed-owner", Severity.ERROR, "shadowed_owner"),
    "MS102": Rule("identity-pattern", Severity.WARNING, "identity_pattern"),
    "MS103": Rule("unreached-pattern", Severity.WARNING, "unreached_pattern"),
    "MS104": Rule("loose-pattern", Severity.WARNING, "loose_pattern"),
    "MS105": Rule("hidden-pattern", Severity.WARNING, "hidden_pattern"),
    "MS106": Rule("owned-world", Severity.ERROR, "owned_world"),
    "MS107": Rule("union-of-one", Severity.WARNING, "union_of_one"),
    "MS108": Rule("duplicate-key", Severity.WARNING, "duplicate_key"),
    "MS109": Rule("expansion-never-asks", Severity.ERROR, "expansion_never_asks"),
    "MS110": Rule("unquoted-key", Severity.ERROR, "unquoted_key"),
    "MS111": Rule("loose-precedence", Severity.WARNING, "loose_precedence"),
    "MS112": Rule("ldap-without-tls", Severity.WARNING, "ldap_without_tls"),
    "MS113": Rule("anonymous-bind", Severity.WARNING, "anonymous_bind"),
    "MS114": Rule("asks-for-every-domain", Severity.NOTE, "asks_for_every_domain"),
    "MS115": Rule("readable-password", Severity.WARNING, "readable_password"),
    "MS116": Rule("proxy-not-listed", Severity.ERROR, "proxy_not_listed"),
    "MS201": Rule("unreachable-restriction", Severity.WARNING, "unreachable_restriction"),
    "MS202": Rule("login-check-without-sasl", Severity.ERROR, "login_check_without_sasl"),
    "MS203": Rule("login-check-without-maps", Severity.ERROR, "login_check_without_maps"),
    "MS204": Rule("overridden-list", Severity.WARNING, "overridden_list"),
    "MS205": Rule("evadable-suspension", Severity.WARNING, "evadable_suspension"),
    "MS206": Rule("spoofable-entry", Severity.WARNING, "spoofable_entry"),
    "MS207": Rule("evadable-local-only", Severity.WARNING, "evadable_local_only"),
    "MS208": Rule("unused-class", Severity.WARNING, "unused_class"),
    "MS209": Rule("open-policy-service", Severity.WARNING, "open_policy_service"),
    "MS210": Rule("open-relay", Severity.ERROR, "open_relay"),
    "MS211": Rule("trusted-networks-first", Severity.WARNING, "trusted_networks_first"),
    "MS212": Rule("unchecked-header-from", Severity.NOTE, "unchecked_header_from"),
    "MS213": Rule("only-warns", Severity.WARNING, "only_warns"),
    "MS214": Rule("laundered-address", Severity.NOTE, "laundered_address"),
    "MS301": Rule("hidden-auth", Severity.ERROR, "hidden_auth"),
    "MS302": Rule("password-in-clear", Severity.WARNING, "password_in_clear"),
    "MS303": Rule("no-worthy-mechanism", Severity.ERROR, "no_worthy_mechanism"),
    "MS304": Rule("no-login-mechanism", Severity.NOTE, "no_login_mechanism"),
    "MS305": Rule("unusable-auth-socket", Severity.ERROR, "unusable_auth_socket"),
    "MS306": Rule("realm-of-choice", Severity.WARNING, "realm_of_choice"),
    "MS401": Rule("external-domain-is-ours", Severity.WARNING, "external_domain_is_ours"),
    "MS402": Rule("send-only-address", Severity.NOTE, "send_only_address"),
    "MS403": Rule("subdomain-key", Severity.WARNING, "subdomain_key"),
}
