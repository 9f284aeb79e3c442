"""The check_*_access restrictions: which keys of an access(5) table are asked.

What an answer means is in `access_answers`. A table that fails answers as if it held
"451 4.3.5 Server configuration error", which `warn_if_reject` can turn into a warning.
"""

from collections.abc import Iterable, Iterator
from functools import partial

from maysend.restrictions import replies
from maysend.restrictions.access_answers import Access, apply_answer
from maysend.restrictions.address_lookup import Key, access_keys, parents
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.resolution import is_suspicious
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.restrictions.trace import Outcome
from maysend.tables import LookupTable, TableError

FAILED = "451 4.3.5 Server configuration error"


def check_client_access(item: Item, site: Site) -> Check:
    """Search for the client's name, its parent domains, then its address and networks."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        client = evaluation.dialogue
        access = Access(item.argument, client.client, replies.CLIENT)
        return _by_name_and_address(evaluation, table, client.client_name, access)

    return check


def check_reverse_client_hostname_access(item: Item, site: Site) -> Check:
    """Search for the client's unverified name and address; it can reject but not permit."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        name = evaluation.dialogue.reverse_client_name
        access = Access(item.argument, name, replies.REVERSE_CLIENT)
        outcome = _by_name_and_address(evaluation, table, name, access)
        if outcome is Outcome.OK and not evaluation.discard:
            # Whoever owns the address can give it any name (postconf(5)).
            return evaluation.server_fault(f"{item.name} must not permit by an unverified name")
        return outcome

    return check


def check_helo_access(item: Item, site: Site) -> Check:
    """Search for the HELO name and its parent domains."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        name = evaluation.dialogue.helo_name
        if name is None:
            return Outcome.DUNNO
        access = Access(item.argument, name, replies.HELO)
        keys = evaluation.keys_of("name", name, partial(name_keys, site))
        return ask(evaluation, table, keys, access) or Outcome.DUNNO

    return check


def check_sasl_access(item: Item, site: Site) -> Check:
    """Search for the login, as it was given."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        login = evaluation.dialogue.sasl_username
        if not site.sasl_is_active or not login:
            return Outcome.DUNNO
        shown = "".join(char if char.isprintable() else "_" for char in login)
        access = Access(item.argument, shown, replies.SASL_LOGIN)
        return ask(evaluation, table, ((login, False),), access) or Outcome.DUNNO

    return check


def check_etrn_access(item: Item, site: Site) -> Check:
    """Search for the ETRN domain and its parents."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        domain = evaluation.dialogue.etrn_domain
        if not domain:
            return Outcome.DUNNO
        access = Access(item.argument, domain, replies.ETRN)
        keys = evaluation.keys_of("name", domain, partial(name_keys, site))
        return ask(evaluation, table, keys, access) or Outcome.DUNNO

    return check


def check_sender_access(item: Item, site: Site) -> Check:
    """Search for the MAIL FROM address, domain, parent domains, and local part."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        if sender is None:
            return Outcome.DUNNO
        return _by_address(evaluation, table, sender, item.argument, replies.SENDER)

    return check


def check_recipient_access(item: Item, site: Site) -> Check:
    """Search for the RCPT TO address, domain, parent domains, and local part."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if not recipient:
            return Outcome.DUNNO
        outcome = _by_address(evaluation, table, recipient, item.argument, replies.RECIPIENT)
        if outcome is Outcome.OK and is_suspicious(evaluation.resolved(recipient), site):
            # A routed address could lead anywhere from the next host on.
            evaluation.note("a routed recipient is not permitted by its address")
            return Outcome.DUNNO
        return outcome

    return check


def _by_address(
    evaluation: Evaluation, table: LookupTable, address: str, spec: str, words: str
) -> Outcome:
    access = Access(spec, address, words)
    if not address:
        key = evaluation.site.null_sender_key
        return ask(evaluation, table, ((key, False),), access) or Outcome.DUNNO
    resolved = evaluation.resolved(address).address
    if "@" not in resolved:
        return Outcome.DUNNO
    keys = evaluation.keys_of("address", resolved, partial(access_keys, evaluation.site))
    return ask(evaluation, table, keys, access) or Outcome.DUNNO


def _by_name_and_address(
    evaluation: Evaluation, table: LookupTable, name: str, access: Access
) -> Outcome:
    """The name decides, even by DUNNO; only where it is not found is the address asked."""
    keys = evaluation.keys_of("name", name, partial(name_keys, evaluation.site))
    outcome = ask(evaluation, table, keys, access)
    if outcome is None:
        address = evaluation.dialogue.client_address
        keys = evaluation.keys_of("network", address, network_keys)
        outcome = ask(evaluation, table, keys, access)
    return outcome or Outcome.DUNNO


def name_keys(site: Site, name: str) -> Iterator[Key]:
    """A host name and its parent domains; a number has no parents."""
    is_partial = False
    for key in parents(name, site.access_parents):
        yield key, is_partial
        if not is_partial and _is_address(name):
            return
        is_partial = True


def network_keys(address: str) -> Iterator[Key]:
    """An address and the networks it is in, octet by octet (access(5))."""
    yield address, False
    separator = ":" if ":" in address else "."
    while separator in address:
        address = address.rpartition(separator)[0]
        yield address, True


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def ask(
    evaluation: Evaluation, table: LookupTable, keys: Iterable[Key], access: Access
) -> Outcome | None:
    """What the first key that is found says, or None where none is."""
    lookup, is_pattern = evaluation.lookup, table.pattern
    for key, is_partial in keys:
        if not key or (is_partial and is_pattern):
            continue
        try:
            answer = lookup(table, key)
        except TableError:
            answer = FAILED
        if answer is not None:
            return apply_answer(evaluation, access, key, answer or FAILED)
    return None
