"""A resolver that answers from a text: for tests, and for `maysend explain --dns FILE`.

The text is a zone file (RFC 1035 5.1) whose origin is the root unless `$ORIGIN` says otherwise, so
that plain lines of `name TYPE value` do. TTL and class may be left out. A line `name SERVFAIL`, or
`name TYPE SERVFAIL`, is a question that fails. `name TIMEOUT` likewise: in the tests the server
does not answer it.

    example.com            MX   10 mail.example.com
    mail.example.com       A    192.0.2.25
    nomail.example         MX   0 .
    2.0.0.127.rbl.example  TXT  "listed since Monday"
    broken.example         SERVFAIL
"""

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias, cast

from maysend.dns.answer import NODATA, NODATA_OF_ALIAS, NXDOMAIN, Answer, Record, RecordType

Failure: TypeAlias = Literal["SERVFAIL", "TIMEOUT"]
MOST_ALIASES = 16
TTL = 3600
_FAILURE = re.compile(r"(\S+)\s+(?:([A-Za-z]+)\s+)?(SERVFAIL|TIMEOUT)\s*(?:;.*)?")
_LINE = re.compile(r"<string>:(\d+)")
_ANY = "ANY"


class ZoneError(ValueError):
    """The text is no zone; says in which line and why."""


class Zone:
    """Answers from records; a name that has none, and none below it, does not exist."""

    blocking = False

    def __init__(self, text: str) -> None:
        self._failures: dict[tuple[str, str], Failure] = {}
        self._aliases: dict[str, str] = {}
        self._records: dict[tuple[str, str], list[Record]] = {}
        self._names: set[str] = set()
        self._read("\n".join(self._without_failures(text)))

    def query(self, name: str, type: RecordType, /) -> Answer:
        """The records at the end of the chain of CNAMEs."""
        _, answer = self.resolve(name, type)
        return answer

    def resolve(self, name: str, type: str) -> tuple[list[str], Answer]:
        """The names of a chain of CNAMEs, `name` first, and the answer for the last of them."""
        chain = [name.lower()]
        while True:
            last = chain[-1]
            failure = self._failures.get((last, type)) or self._failures.get((last, _ANY))
            if failure:
                return chain, Answer("failed", reason=failure)
            records = self._records.get((last, type))
            if records:
                return chain, Answer("found", tuple(records))
            target = self._aliases.get(last)
            if target is None:
                if last not in self._names:
                    return chain, NXDOMAIN
                return chain, NODATA_OF_ALIAS if len(chain) > 1 else NODATA
            if len(chain) > MOST_ALIASES:
                return chain, Answer("failed", reason="SERVFAIL")
            chain.append(target)

    def _without_failures(self, text: str) -> Iterator[str]:
        for line in text.splitlines():
            failure = _FAILURE.fullmatch(line.strip())
            if failure is None:
                yield line
                continue
            name = failure[1].lower().removesuffix(".")
            self._failures[name, (failure[2] or _ANY).upper()] = cast(Failure, failure[3])
            self._know(name)
            yield ""

    def _read(self, text: str) -> None:
        from dns.exception import DNSException
        from dns.rdatatype import CNAME
        from dns.rrset import from_rdata_list
        from dns.zone import from_text

        from maysend.dns.records import name_text, records_of

        try:
            zone = from_text(f"$TTL {TTL}\n{text}", ".", relativize=False, check_origin=False)
        except (DNSException, ValueError, KeyError) as error:
            raise ZoneError(_LINE.sub(_own_line, str(error))) from error
        for owner, rdataset in zone.iterate_rdatasets():
            name = name_text(owner).lower()
            self._know(name)
            rrset = from_rdata_list(owner, rdataset.ttl, list(rdataset))
            if rdataset.rdtype == CNAME:
                self._aliases[name] = name_text(rdataset[0].target).lower()
            else:
                self._records[name, rdataset.rdtype.name] = list(records_of(rrset))

    def _know(self, name: str) -> None:
        """A name exists if there is one below it (RFC 8020)."""
        while name:
            self._names.add(name)
            name = name.partition(".")[2]


def _own_line(match: re.Match[str]) -> str:
    """The line as its author counts: before it stands our $TTL."""
    return f"line {int(match[1]) - 1}"
