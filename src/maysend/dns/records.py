"""From dnspython's records to ours."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from maysend.dns.answer import Record, RecordType

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata
    from dns.rrset import RRset


def name_text(name: "Name") -> str:
    """A name without its final dot."""
    return name.to_text(omit_final_dot=True) if name.labels != (b"",) else ""


def records_of(rrset: "RRset") -> Iterator[Record]:
    """The records of one set, in its order."""
    owner = name_text(rrset.name)
    for rdata in rrset:
        data, preference = _data(rdata)
        type = cast(RecordType, rdata.rdtype.name)
        yield Record(owner, type, data, preference, rrset.ttl)


def _data(rdata: "Rdata") -> tuple[str, int]:
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.NS import NS
    from dns.rdtypes.ANY.TXT import TXT

    if isinstance(rdata, MX):
        return name_text(rdata.exchange), rdata.preference
    if isinstance(rdata, NS):
        return name_text(rdata.target), 0
    if isinstance(rdata, TXT):
        first = rdata.strings[0] if rdata.strings else b""
        return first.decode("utf-8", "surrogateescape"), 0
    return rdata.to_text(), 0
