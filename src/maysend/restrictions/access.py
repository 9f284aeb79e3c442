"""The check_*_access restrictions: which keys of an access(5) table are asked.

What an answer means is in `access_answers`. A table that fails answers as if it held
"451 4.3.5 Server configuration error", which `warn_if_reject` can turn into a warning.
"""

from typing import Final

from maysend.address.characters import is_ascii
from maysend.restrictions import replies
from maysend.restrictions.access_answers import Access, apply_answer
from maysend.restrictions.address_lookup import access_keys, parents, whole_keys
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.keys import NO_KEYS, Found, KeyKind, Keys
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.resolution import is_suspicious
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError

FAILED: Final = "451 4.3.5 Server configuration error"


def check_client_access(item: Item, site: Site) -> Check:
    """Search for the client's name, its parent domains, then its address and networks."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        client = evaluation.dialogue
        found = _by_name_and_address(evaluation, table, client.client_name)
        if found is None:
            return DUNNO
        return apply_answer(evaluation, Access(item.argument, client.client, replies.CLIENT), found)

    return check


def check_reverse_client_hostname_access(item: Item, site: Site) -> Check:
    """Search for the client's unverified name and address; it can reject but not permit."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        name = evaluation.dialogue.reverse_client_name
        found = _by_name_and_address(evaluation, table, name)
        if found is None:
            return DUNNO
        access = Access(item.argument, name, replies.REVERSE_CLIENT)
        outcome = apply_answer(evaluation, access, found)
        if outcome is OK and not evaluation.discard:
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
            return DUNNO
        found = ask(evaluation, table, evaluation.keys_for(table, name, NAME))
        if found is None:
            return DUNNO
        return apply_answer(evaluation, Access(item.argument, name, replies.HELO), found)

    return check


def check_sasl_access(item: Item, site: Site) -> Check:
    """Search for the login, as it was given."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        login = evaluation.dialogue.sasl_username
        if not site.sasl_is_active or not login:
            return DUNNO
        found = ask(evaluation, table, Keys((login,)))
        if found is None:
            return DUNNO
        shown = "".join(char if char.isprintable() else "_" for char in login)
        return apply_answer(evaluation, Access(item.argument, shown, replies.SASL_LOGIN), found)

    return check


def check_etrn_access(item: Item, site: Site) -> Check:
    """Search for the ETRN domain and its parents."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        domain = evaluation.dialogue.etrn_domain
        if not domain:
            return DUNNO
        found = ask(evaluation, table, evaluation.keys_for(table, domain, NAME))
        if found is None:
            return DUNNO
        return apply_answer(evaluation, Access(item.argument, domain, replies.ETRN), found)

    return check


def check_sender_access(item: Item, site: Site) -> Check:
    """Search for the MAIL FROM address, domain, parent domains, and local part."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        if sender is None:
            return DUNNO
        found = ask(evaluation, table, evaluation.keys_for(table, sender, ADDRESS))
        if found is None:
            return DUNNO
        return apply_answer(evaluation, Access(item.argument, sender, replies.SENDER), found)

    return check


def check_recipient_access(item: Item, site: Site) -> Check:
    """Search for the RCPT TO address, domain, parent domains, and local part."""
    table = site.table(item.argument)

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        if not recipient:
            return DUNNO
        found = ask(evaluation, table, evaluation.keys_for(table, recipient, ADDRESS))
        if found is None:
            return DUNNO
        access = Access(item.argument, recipient, replies.RECIPIENT)
        outcome = apply_answer(evaluation, access, found)
        if outcome is OK and is_suspicious(evaluation.resolved(recipient), site):
            # A routed address could lead anywhere from the next host on.
            evaluation.note("a routed recipient is not permitted by its address")
            return DUNNO
        return outcome

    return check


def _address_keys(evaluation: Evaluation, address: str) -> Keys:
    """The keys of an address as it is resolved; the null sender has one of its own."""
    if not address:
        key = evaluation.site.null_sender_key
        return Keys((key,)) if key else NO_KEYS
    resolved = evaluation.resolved(address).address
    return access_keys(evaluation.site, resolved) if "@" in resolved else NO_KEYS


def _whole_address(evaluation: Evaluation, address: str) -> Keys:
    if not address:
        return _address_keys(evaluation, address)
    resolved = evaluation.resolved(address)
    return whole_keys(resolved) if "@" in resolved.address else NO_KEYS


def _by_name_and_address(evaluation: Evaluation, table: OpenedTable, name: str) -> Found | None:
    """The name decides, even by DUNNO; only where it is not found is the address asked."""
    found = ask(evaluation, table, evaluation.keys_for(table, name, NAME))
    if found is None:
        address = evaluation.dialogue.client_address
        found = ask(evaluation, table, evaluation.keys_for(table, address, NETWORK))
    return found


def _name_keys(evaluation: Evaluation, name: str) -> Keys:
    """A host name and its parent domains; a number has no parents."""
    if not name:
        return NO_KEYS
    asked = (name,) if _is_address(name) else tuple(parents(name, evaluation.site.access_parents))
    return Keys(asked, _is_folded(name))


def _network_keys(evaluation: Evaluation, address: str) -> Keys:
    """An address and the networks it is in, octet by octet (access(5))."""
    every = []
    name, separator = address, ":" if ":" in address else "."
    while name:
        every.append(name)
        name = name.rpartition(separator)[0]
    return Keys(tuple(every), _is_folded(address))


def _whole_name(evaluation: Evaluation, name: str) -> Keys:
    """What a table of patterns is asked, which folds nothing."""
    return Keys((name,)) if name else NO_KEYS


def _is_folded(name: str) -> bool:
    return is_ascii(name) and name == name.lower()


NAME: Final = KeyKind(_name_keys, _whole_name)
NETWORK: Final = KeyKind(_network_keys, _whole_name)
ADDRESS: Final = KeyKind(_address_keys, _whole_address)


def _is_address(name: str) -> bool:
    return ":" in name or name.replace(".", "").isdigit()


def ask(evaluation: Evaluation, table: OpenedTable, keys: Keys) -> Found | None:
    """The first key that is found, or None where none is. A table that fails finds FAILED."""
    try:
        found = evaluation.search(table, keys)
    except TableError:
        return Found("", FAILED)
    return found if found is None or found.answer else Found(found.key, FAILED)
