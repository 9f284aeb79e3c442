"""Addresses that nobody delivers to: reject_unverified_sender, reject_unverified_recipient.

smtpd asks verify(8), which sends a probe where its cache, $address_verify_map, does not know the
address. No probe is sent from here: an address that the cache does not know, or knew too long ago,
is answered as where the probe has no result yet, with a note that there would be one. An entry of
the cache is `status:probed:updated:text`, times in seconds since 1970; status 0 is deliverable, 1
deferred, 2 undeliverable, 3 not known yet. Replies: $unverified_sender_reject_code or
$unverified_sender_defer_code with $unverified_sender_reject_reason; a 4xx waits for other refusals
as $unverified_sender_tempfail_action says, a 2xx refuses nothing; likewise for recipients. Source:
ADDRESS_VERIFICATION_README, postconf(5), verify(8), which keeps its cache locked while it runs:
to see what is in it, name a copy of it, or any other table, as address_verify_map.
"""

import re

import msgspec

from maysend.restrictions.evaluation import Check, Evaluation
from maysend.restrictions.outcome import Outcome
from maysend.restrictions.outcomes import DUNNO
from maysend.restrictions.replies import RECIPIENT, SENDER
from maysend.restrictions.restriction import Item
from maysend.restrictions.site import Site
from maysend.tables import OpenedTable, TableError

DELIVERABLE, DEFERRED, UNDELIVERABLE, UNKNOWN = range(4)
_ENTRY = re.compile(r"([0-3]):(\d+):(\d+):(.*)", re.ASCII | re.DOTALL)
LONGEST_REASON = 250
"""Of a 4xx; smtpd says the whole of it in a 5xx."""


class Verification(msgspec.Struct, frozen=True):
    """What is known of an address, and the words for it."""

    status: int
    text: str


IN_PROGRESS = Verification(UNKNOWN, "Address verification in progress")


def reject_unverified_sender(item: Item, site: Site) -> Check:
    """Reject a MAIL FROM address that a probe found undeliverable, as far as that is known."""
    reject_unverified = _VerificationCheck(site, "sender", SENDER, "4.1.7")

    def check(evaluation: Evaluation) -> Outcome:
        sender = evaluation.dialogue.sender
        return reject_unverified(evaluation, sender) if sender else DUNNO

    return check


def reject_unverified_recipient(item: Item, site: Site) -> Check:
    """Reject a RCPT TO address that a probe found undeliverable, as far as that is known."""
    reject_unverified = _VerificationCheck(site, "recipient", RECIPIENT, "4.1.1")

    def check(evaluation: Evaluation) -> Outcome:
        recipient = evaluation.dialogue.recipient
        return reject_unverified(evaluation, recipient) if recipient else DUNNO

    return check


class _VerificationCheck:
    """The check of an address that is a `kind` ("sender"), in the words of its replies."""

    def __init__(self, site: Site, kind: str, words: str, dsn: str) -> None:
        parameters = site.parameters
        self._words = words
        self._dsn = dsn
        self._reject_code = site.code(f"unverified_{kind}_reject_code")
        self._defer_code = site.code(f"unverified_{kind}_defer_code")
        self._reason = parameters[f"unverified_{kind}_reject_reason"]
        self._at_once = parameters[f"unverified_{kind}_tempfail_action"].lower() == "defer"
        self._cache = _Cache(site)

    def __call__(self, evaluation: Evaluation, address: str) -> Outcome:
        found = self._cache.verification(evaluation, address)
        if found.status == DELIVERABLE:
            return DUNNO
        code = self._reject_code if found.status == UNDELIVERABLE else self._defer_code
        prefix = f"<{address}>: {self._words} rejected: "
        reason = self._reason or found.text
        if code // 100 == 5:
            text = f"{prefix}undeliverable address: {reason}"
            return evaluation.refuse(code, self._dsn, text)
        text = f"{prefix}unverified address: {reason[:LONGEST_REASON]}"
        if code // 100 != 4:
            return DUNNO
        if self._at_once:
            return evaluation.refuse(code, self._dsn, text)
        return evaluation.defer_unless_rejected(code, self._dsn, text)


class _Cache:
    """$address_verify_map, read as verify(8) reads it."""

    def __init__(self, site: Site) -> None:
        spec = site.parameters["address_verify_map"]
        self._site = site
        self._table: OpenedTable | None = site.table(spec) if spec else None
        self._positive = site.parameters.seconds("address_verify_positive_expire_time")
        self._negative = site.parameters.seconds("address_verify_negative_expire_time")

    def verification(self, evaluation: Evaluation, address: str) -> Verification:
        """What the cache knows; IN_PROGRESS where verify(8) would send a probe."""
        why = "not in the cache"
        found: Verification | None = None
        try:
            found = self._fresh(self._entry(evaluation, address))
        except TableError as error:
            why = f"the cache can't be read ({error.reason})"  # to verify(8) it is empty then
        if found is None:
            evaluation.note(f"{why}: would probe {address}")
        return found or IN_PROGRESS

    def _entry(self, evaluation: Evaluation, key: str) -> str | None:
        # verify(8) keeps addresses as they are written, and our tables fold their keys.
        if self._table is None or key != key.lower():
            return None
        return evaluation.lookup(self._table, key)

    def _fresh(self, entry: str | None) -> Verification | None:
        match = _ENTRY.fullmatch(entry) if entry is not None else None
        if match is None:
            return None
        status, updated = int(match[1]), int(match[3])
        lasts = self._positive if status == DELIVERABLE else self._negative
        return Verification(status, match[4]) if updated + lasts >= self._site.clock() else None
