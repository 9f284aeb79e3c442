"""What smtpd makes of DNS's answers: null MX, names that can't be, smtpd_dns_reply_filter.

Source: postconf(5) "smtpd_dns_reply_filter", RFC 7505 (null MX); which outcome counts of several
questions was asked of a live smtpd (tests/cases/dns_domains.toml).
"""

import re
from enum import IntEnum

import msgspec

from maysend.address.hostname import is_valid_address, is_valid_hostname
from maysend.address.idn import domain_to_ascii
from maysend.dns import Record, RecordType
from maysend.restrictions.evaluation import Evaluation
from maysend.tables import TableError

MOST_RECORDS = 100
"""Postfix reads no more records of one answer."""

_IGNORE = re.compile(r"ignore(\s|$)", re.IGNORECASE)
FILTER = "smtpd_dns_reply_filter"


class Status(IntEnum):
    """What a question came to; of several questions the highest counts."""

    NOT_FOUND = 0
    INVALID = 1
    NULL_MX = 2
    FAILED = 3
    FILTERED = 4
    FOUND = 5


class Found(msgspec.Struct, frozen=True):
    """The outcome of a question, the records where it is FOUND, and a reason where it has one."""

    status: Status
    records: tuple[Record, ...] = ()
    reason: str = ""


NOT_FOUND = Found(Status.NOT_FOUND)
FILTERED = Found(Status.FILTERED, reason="DNS reply filter policy")
BROKEN_FILTER = Found(Status.FAILED, reason="Unknown error 0")
"""smtpd gives the system's word for an error that it did not have."""


def find_records(evaluation: Evaluation, name: str, type: RecordType) -> Found:
    """The usable records of a name. A name that can be no host name is not asked for."""
    if not is_valid_hostname(name):
        return NOT_FOUND
    answer = evaluation.query_dns(name, type)
    if answer.status == "failed":
        return Found(Status.FAILED, reason="Host not found, try again")
    if type == "MX" and any(not record.data for record in answer.records):
        return Found(Status.NULL_MX)
    records = answer.records
    if type == "TXT":
        records = tuple(_in_printable_ascii(record) for record in records)
    usable = tuple(record for record in records if _is_usable(record))[:MOST_RECORDS]
    if not usable:
        return Found(Status.INVALID) if records else NOT_FOUND
    return _filtered(evaluation, usable)


def find_any(evaluation: Evaluation, name: str, types: tuple[RecordType, ...]) -> Found:
    """The first type that there is; else the most telling outcome.

    An MX record that says that there is no mail, can't be, or is filtered away ends the search.
    """
    best = NOT_FOUND
    for type in types:
        found = find_records(evaluation, name, type)
        if found.status is Status.FOUND:
            return found
        best = max(best, found, key=lambda outcome: outcome.status)
        if type == "MX" and found.status in (Status.NULL_MX, Status.INVALID, Status.FILTERED):
            break
    return best


def in_ascii(domain: str) -> str:
    """The domain as DNS knows it, where it has such a form."""
    return domain if domain.isascii() else domain_to_ascii(domain) or domain


def _is_usable(record: Record) -> bool:
    if record.type not in ("MX", "NS"):
        return True
    return is_valid_hostname(record.data) or is_valid_address(record.data)


def _in_printable_ascii(record: Record) -> Record:
    """The record with a space for every other octet, as Postfix reads it."""
    octets = record.data.encode("utf-8", "surrogateescape")
    text = "".join(chr(octet) if 32 <= octet < 127 else " " for octet in octets)
    return msgspec.structs.replace(record, data=text)


def _filtered(evaluation: Evaluation, records: tuple[Record, ...]) -> Found:
    """Only the records that the filter leaves; a filter that does not work leaves us without."""
    tables = evaluation.site.dns_reply_filter
    if not tables:
        return Found(Status.FOUND, records)
    kept = []
    for record in records:
        action = None
        try:
            for table in tables:
                action = evaluation.lookup(table, _filter_key(record))
                if action is not None:
                    break
        except TableError:
            return BROKEN_FILTER
        if action is None:
            kept.append(record)
        elif not _IGNORE.match(action):
            evaluation.note(f"{FILTER}: unknown action {action}")
            return BROKEN_FILTER
    return Found(Status.FOUND, tuple(kept)) if kept else FILTERED


def _filter_key(record: Record) -> str:
    data = str(record)
    if record.type in ("MX", "NS"):
        data += "."
    return f"{record.name}. {record.ttl} IN {record.type} {data}"
