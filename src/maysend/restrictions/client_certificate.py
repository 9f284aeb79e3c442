"""TLS client certificates: permit_tls_clientcerts, permit_tls_all_clientcerts, check_ccert_access.

A certificate is known by its fingerprint and that of its public key, in the digest of
$smtpd_tls_fingerprint_digest, as "AB:CD:…"; whoever runs the dialogue computes them
(`Session.certified`). A fingerprint needs no CA: it says which certificate this is. Source:
postconf(5), TLS_README.
"""

from collections.abc import Callable

import msgspec

from maysend.maincf.tokens import split
from maysend.restrictions.access import ask
from maysend.restrictions.access_answers import Access, apply_answer
from maysend.restrictions.address_lookup import find
from maysend.restrictions.dialogue import Dialogue
from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.keys import Keys
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO, OK
from maysend.restrictions.replies import CLIENT_CERTIFICATE
from maysend.restrictions.restriction import InvalidItem, Item
from maysend.restrictions.site import Site
from maysend.tables import TableError
from maysend.tables.braces import BraceError, enclosed

FINGERPRINTS: dict[str, Callable[[Dialogue], str]] = {
    "cert_fingerprint": lambda dialogue: dialogue.ccert_fingerprint,
    "pubkey_fingerprint": lambda dialogue: dialogue.ccert_pubkey_fingerprint,
}
"""What a search order may name, in the order that holds where none is written."""


class CertificateTable(msgspec.Struct, frozen=True):
    """What check_ccert_access asks: a table, and which fingerprints in which order."""

    spec: str
    search_order: tuple[str, ...]


def permit_tls_clientcerts(item: Item, site: Site) -> Check:
    """Permit a TLS client certificate whose fingerprint is listed in $relay_clientcerts."""
    return _permission(site, all_trusted=False)


def permit_tls_all_clientcerts(item: Item, site: Site) -> Check:
    """Permit any TLS client certificate of a trusted CA, and those of permit_tls_clientcerts."""
    return _permission(site, all_trusted=True)


def _permission(site: Site, *, all_trusted: bool) -> Check:
    tables = site.tables("relay_clientcerts")

    def check(evaluation: Evaluation) -> Outcome:
        dialogue = evaluation.dialogue
        if not dialogue.ccert_fingerprint:
            evaluation.note("no client certificate was presented")
            return DUNNO
        if all_trusted and dialogue.ccert_trusted:
            evaluation.note(f"the certificate of {dialogue.ccert_subject} is trusted")
            return OK
        try:
            for fingerprint in FINGERPRINTS.values():
                if find(evaluation.lookup, tables, (fingerprint(dialogue), False)) is not None:
                    return OK
        except TableError as error:
            evaluation.table_fault(error, evaluation.subject.name)
        return DUNNO

    return check


def check_ccert_access(item: Item, site: Site) -> Check:
    """Search for the certificate's fingerprint, then its public key's, or in `search_order`."""
    source = read_certificate_table(item.argument)
    table = site.table(source.spec)

    def check(evaluation: Evaluation) -> Outcome:
        dialogue = evaluation.dialogue
        if not dialogue.ccert_fingerprint:
            evaluation.note("no client certificate was presented")
            return DUNNO
        access = Access(source.spec, dialogue.ccert_subject, CLIENT_CERTIFICATE)
        for name in source.search_order:
            key = FINGERPRINTS[name](dialogue)
            found = ask(evaluation, table, Keys((key,)))
            if found is not None:
                outcome = apply_answer(evaluation, access, found)
                if outcome is not DUNNO:
                    return outcome
        return DUNNO

    return check


def read_certificate_table(argument: str) -> CertificateTable:
    """Read `type:name` or `{ type:name, { search_order = NAME, NAME } }`. Raises InvalidItem."""
    words = [argument]
    if argument.startswith("{"):
        try:
            words = [token.text for token in split(enclosed(argument))]
        except BraceError as error:
            raise InvalidItem(f"check_ccert_access: {error}") from error
    if not words or ":" not in words[0]:
        raise InvalidItem(f'check_ccert_access: "{argument}": need maptype:mapname')
    order = tuple(FINGERPRINTS)
    for word in words[1:]:
        order = _search_order(word)
    return CertificateTable(words[0], order)


def _search_order(word: str) -> tuple[str, ...]:
    try:
        text = enclosed(word) if word.startswith("{") else word
    except BraceError as error:
        raise InvalidItem(f"check_ccert_access: {error}") from error
    name, equals, value = text.partition("=")
    if name.strip() != "search_order" or not equals:
        raise InvalidItem(f'check_ccert_access: "{text.strip()}": expected search_order = …')
    order = tuple(token.text for token in split(value))
    unknown = [name for name in order if name not in FINGERPRINTS]
    if unknown:
        known = " or ".join(FINGERPRINTS)
        raise InvalidItem(f'check_ccert_access: "{value.strip()}": expected {known}')
    return order
