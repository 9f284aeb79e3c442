"""check_{client,reverse_client_hostname,helo,sender,recipient}_{mx,ns,a}_access (postconf(5)).

They search an access(5) table for the servers of a domain: the names of its MX or NS hosts with
their parent domains, then their addresses with their networks; `a` looks at the addresses of the
name itself. A domain without MX is its own MX; the NS of a name may be those of a domain above it.
What DNS does not know, for now or at all, is not restricted. Whoever owns the domain chooses these
names, so they may not permit: OK is answered with 451 4.3.5.

    smtpd_sender_restrictions = check_sender_mx_access cidr:/etc/postfix/bogus_mx
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

from maysend.address.hostname import is_valid_address, is_valid_address_literal
from maysend.restrictions import replies
from maysend.restrictions.access import NAME, NETWORK, ask
from maysend.restrictions.access_answers import Access, apply_answer
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.dns_lookup import Status, find_records, in_ascii
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.host_addresses import addresses_of
from maysend.restrictions.keys import Keys
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.restriction import Compile, Item, Restriction
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable

ServerType: TypeAlias = Literal["MX", "NS", "A"]
Named: TypeAlias = tuple[str, str]
"""Whose servers are looked at, and the name of that in replies; "" is nobody."""

_IPV6_LITERAL = "ipv6:"


def _client(dialogue: Dialogue) -> Named:
    return _unless_unknown(dialogue.client_name), dialogue.client


def _reverse_client(dialogue: Dialogue) -> Named:
    return _unless_unknown(dialogue.reverse_client_name), dialogue.reverse_client_name


def _helo(dialogue: Dialogue) -> Named:
    return dialogue.helo_name or "", dialogue.helo_name or ""


def _sender(dialogue: Dialogue) -> Named:
    return _domain(dialogue.sender or ""), dialogue.sender or ""


def _recipient(dialogue: Dialogue) -> Named:
    return _domain(dialogue.recipient or ""), dialogue.recipient or ""


def _unless_unknown(name: str) -> str:
    return "" if name.lower() == "unknown" else name


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


_SUBJECTS: dict[str, tuple[Callable[[Dialogue], Named], str]] = {
    "client": (_client, replies.CLIENT),
    "reverse_client_hostname": (_reverse_client, replies.REVERSE_CLIENT),
    "helo": (_helo, replies.HELO),
    "sender": (_sender, replies.SENDER),
    "recipient": (_recipient, replies.RECIPIENT),
}
_ABOUT = {
    replies.CLIENT: "the client's name",
    replies.REVERSE_CLIENT: "the client's unverified name",
    replies.HELO: "the HELO name",
    replies.SENDER: "the MAIL FROM domain",
    replies.RECIPIENT: "the RCPT TO domain",
}
_SERVERS: dict[ServerType, str] = {
    "MX": "MX hosts, their parent domains and networks",
    "NS": "NS hosts, their parent domains and networks",
    "A": "addresses and networks",
}
_TYPES: tuple[ServerType, ...] = ("MX", "NS", "A")


def _check_server_access(
    named: Callable[[Dialogue], Named], words: str, type: ServerType
) -> Compile:
    """One of the restrictions of this family."""
    subject, servers = _ABOUT[words], _SERVERS[type]

    def compile(item: Item, site: Site) -> Check:
        table = site.table(item.argument)

        def check(evaluation: Evaluation) -> Outcome:
            domain, name = named(evaluation.dialogue)
            if not domain:
                return DUNNO
            access = Access(item.argument, name, words)
            outcome = _by_servers(evaluation, table, in_ascii(domain), type, access)
            if outcome is OK and not evaluation.discard:
                return evaluation.server_fault(f"{item.name} must not permit")
            return outcome

        return check

    compile.__doc__ = f"Search for the {servers} of {subject}; it can reject but not permit."
    return compile


RESTRICTIONS: dict[str, Restriction] = {
    f"check_{subject}_{type.lower()}_access": Restriction(
        _check_server_access(named, words, type), "table"
    )
    for subject, (named, words) in _SUBJECTS.items()
    for type in _TYPES
}


def _by_servers(
    evaluation: Evaluation, table: OpenedTable, domain: str, type: ServerType, access: Access
) -> Outcome:
    if domain.startswith("["):
        literal = _literal_address(domain) if type != "NS" else ""
        hosts: Iterable[str] = (literal,) if literal else ()
    else:
        hosts = _servers(evaluation, domain, type)
    for host in hosts:
        outcome = None
        if type != "A" and not is_valid_address(host):
            outcome = _ask(evaluation, table, evaluation.keys_for(table, host, NAME), access)
        if outcome is None:
            outcome = _by_addresses(evaluation, table, host, access)
        if outcome is not None:
            return outcome
    return DUNNO


def _by_addresses(
    evaluation: Evaluation, table: OpenedTable, host: str, access: Access
) -> Outcome | None:
    for address in addresses_of(evaluation, host).addresses:
        outcome = _ask(evaluation, table, evaluation.keys_for(table, address, NETWORK), access)
        if outcome is not None:
            return outcome
    return None


def _ask(evaluation: Evaluation, table: OpenedTable, keys: Keys, access: Access) -> Outcome | None:
    found = ask(evaluation, table, keys)
    return None if found is None else apply_answer(evaluation, access, found)


def _servers(evaluation: Evaluation, domain: str, type: ServerType) -> tuple[str, ...]:
    """The names of the servers, in the order in which DNS gives them."""
    if type == "A":
        return (domain,)
    found = find_records(evaluation, domain, type)
    if type == "NS":
        above = domain
        while found.status is Status.NOT_FOUND and "." in above:
            above = above.partition(".")[2]
            found = find_records(evaluation, above, type)
    elif found.status is Status.NOT_FOUND:
        return (domain,)
    return tuple(record.data for record in found.records)


def _literal_address(literal: str) -> str:
    if not is_valid_address_literal(literal):
        return ""
    address = literal[1:-1]
    is_ipv6 = address[: len(_IPV6_LITERAL)].lower() == _IPV6_LITERAL
    return address[len(_IPV6_LITERAL) :] if is_ipv6 else address
