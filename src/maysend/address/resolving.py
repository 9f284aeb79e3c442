"""Where an address leads: the address that smtpd asks its tables for, and whether it is ours.

As trivial-rewrite(8) resolves it, up to the question which kind of domain a remote one is (virtual
alias, virtual mailbox, relay). Local domains are stripped from the right as long as something with
a routing operator is left, so that `user%elsewhere@here` is seen as mail for elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from maysend.address.errors import LONGEST_ADDRESS
from maysend.address.hostname import (
    is_valid_address,
    is_valid_address_literal,
    is_valid_hostname,
)
from maysend.address.idn import is_valid_utf8_hostname
from maysend.address.quoting import quote_local
from maysend.address.rewriting import Rewriting, Tree, is_plain, rewrite_tree
from maysend.address.tokens import QUOTED, Token, internal_form, scan

_ROUTING_OPERATORS: Final = "@!%"


@dataclass(frozen=True)
class Resolved:
    """The address as smtpd works with it, not folded yet.

    `recipient` has an `@` unless it is in error; `domain` is what follows the last one. `local`
    says that it is delivered here. `routed` says that its local part still leads elsewhere
    (`a%b@c`, `a!b@c`, `a@b@c`): permit_auth_destination and its like don't vouch for it. `error`
    says that the domain can't exist or that the local part starts with `-`: smtpd refuses the path
    with 501. `failed` says that no end was found: 451 4.3.0.
    """

    recipient: str
    domain: str
    routed: bool = False
    local: bool = False
    error: bool = False
    failed: bool = False


def resolve(address: str, rewriting: Rewriting, is_local_domain: Callable[[str], bool]) -> Resolved:
    """Resolve an address in internal form; "" is the null sender.

    smtpd has addresses rewritten first: `bob` is bob@$myorigin to its tables, and bob@$myhostname
    only here.

    `is_local_domain` is asked domains as they are written (not folded, never empty, without a
    final dot), literals with their brackets: whether mydestination, inet_interfaces or
    proxy_interfaces has them. What it raises goes through; nothing else is raised. An address of
    more than LONGEST_ADDRESS characters is an error without further asking.
    """
    if is_plain(address):
        domain = address[address.index("@") + 1 :]
        return Resolved(address, domain, local=is_local_domain(domain))
    if len(address) > LONGEST_ADDRESS:
        return Resolved(address, _domain(address), error=True)
    return _Resolution(address, rewriting, is_local_domain).resolved()


class _Resolution:
    """The resolving of one address: its tokens, and the local domain last stripped from them."""

    def __init__(
        self, address: str, rewriting: Rewriting, is_local_domain: Callable[[str], bool]
    ) -> None:
        self.rewriting = rewriting
        self.is_local_domain = is_local_domain
        self.tree = Tree(scan(quote_local(address)))
        self.stripped: list[Token] = []
        self.most_steps = len(address) + 100

    def resolved(self) -> Resolved:
        for _ in range(self.most_steps):
            if self.has_remote_domain():
                return self.conclusion(local=False)
            if self.has_operator():
                rewrite_tree(self.tree, self.rewriting)
            elif not self.crack_quoted_operator() and not self.name_the_nameless():
                self.tree.append(self.stripped or [Token("@"), *scan(self.rewriting.myhostname)])
                return self.conclusion(local=True)
        recipient = internal_form(self.tree.tokens, spaced=self.tree.spaced)
        return Resolved(recipient, _domain(recipient), failed=True)

    def has_remote_domain(self) -> bool:
        """Strip the domain if it is ours; True where the address has one that isn't."""
        self.tree.strip_final_dot()
        tokens = self.tree.tokens
        if self.rewriting.resolve_null_domain and tokens and tokens[-1].kind == "@":
            del tokens[-1]
        at = self.tree.last("@")
        if at < 0:
            return False
        after = tokens[at + 1 :]
        if after and not self.is_local(internal_form(after, spaced=self.tree.spaced)):
            return True
        self.stripped = tokens[at:]
        del tokens[at:]
        return False

    def is_local(self, domain: str) -> bool:
        domain = domain.removesuffix(".")
        return bool(domain) and not domain.endswith(".") and self.is_local_domain(domain)

    def has_operator(self) -> bool:
        """Whether what is left of the address still names another place to go to."""
        return (
            self.tree.last("@") >= 0
            or (self.rewriting.swap_bangpath and self.tree.last("!") >= 0)
            or (self.rewriting.allow_percent_hack and self.tree.last("%") >= 0)
        )

    def crack_quoted_operator(self) -> bool:
        """Rewrite what a quoted local part names: `"user@elsewhere"@here` (no relaying by quotes).

        Not what RFC 5321 says, but some next hop would look into the quotes too.
        """
        tokens = self.tree.tokens
        if not self.rewriting.resolve_dequoted_address or len(tokens) != 1:
            return False
        if tokens[0].kind != QUOTED:
            return False
        external = self.routed_form(tokens[0].text)
        if external is None:
            return False
        self.tree = Tree(scan(external))
        rewrite_tree(self.tree, self.rewriting)
        return True

    def routed_form(self, local: str) -> str | None:
        """Return the external form of what leads out of a local part; None where nothing does."""
        if "@" in local:
            return quote_local(local)
        if self.rewriting.allow_percent_hack and "%" in local:
            return quote_local("@".join(local.rsplit("%", 1)))
        if self.rewriting.swap_bangpath and "!" in local:
            return local
        return None

    def name_the_nameless(self) -> bool:
        """An address without local part goes to $empty_address_recipient; it may have a domain."""
        if self.tree.tokens and not self.tree.is_empty_string():
            return False
        self.tree = Tree(scan(self.rewriting.empty_address_recipient))
        return True

    def conclusion(self, *, local: bool) -> Resolved:
        recipient = internal_form(self.tree.tokens, spaced=self.tree.spaced)
        domain = _domain(recipient)
        if self.is_numeric(recipient, domain):
            recipient = f"{recipient[: -len(domain)]}[{domain}]"
            domain = f"[{domain}]"
            local = local or self.is_local_domain(domain)
        elif not self.is_valid(recipient, domain):
            return Resolved(recipient, domain, error=True)
        elif local:
            # What was stripped may not be what stands there now: `bob` is bob@$myhostname.
            local = self.is_local_domain(domain.removesuffix("."))
        return Resolved(
            recipient,
            domain,
            routed=_is_routed(recipient, domain),
            local=local,
            error=recipient.startswith("-") and not self.rewriting.allow_min_user,
        )

    def is_numeric(self, recipient: str, domain: str) -> bool:
        """Whether the domain is an address that only lacks its brackets, where that is allowed."""
        return (
            self.rewriting.resolve_numeric_domain
            and is_valid_address(domain)
            and (_is_utf8(recipient) or not self.rewriting.smtputf8_enable)
        )

    def is_valid(self, recipient: str, domain: str) -> bool:
        if domain.startswith("["):
            return is_valid_address_literal(domain)
        if not self.rewriting.smtputf8_enable:
            return is_valid_hostname(domain)
        return _is_utf8(recipient) and is_valid_utf8_hostname(domain)


def _domain(recipient: str) -> str:
    return recipient[recipient.rfind("@") + 1 :]


def _is_routed(recipient: str, domain: str) -> bool:
    """Whether the first routing operator isn't the `@` of the domain; whatever we ourselves do."""
    first = min(i for i in map(recipient.find, _ROUTING_OPERATORS) if i >= 0)
    return recipient[first + 1 :] != domain


def _is_utf8(text: str) -> bool:
    """Whether every octet of the text is part of a character (surrogateescape left no trace)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
