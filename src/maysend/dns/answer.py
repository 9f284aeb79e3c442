"""An answer of DNS, in text (RFC 1035, RFC 2308)."""

from typing import Literal, TypeAlias

import msgspec

RecordType: TypeAlias = Literal["A", "AAAA", "MX", "NS", "TXT"]
Status: TypeAlias = Literal["found", "nxdomain", "nodata", "failed"]
"""There are records; the name does not exist; it has none of this type; not known for now."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """One resource record. Names have no final dot; the root is "".

    `data` is an address, a host name, or the first string of a TXT record, which is all that
    Postfix reads. `name` is the record's own, at the end of any chain of CNAMEs.
    """

    name: str
    type: RecordType
    data: str
    preference: int = 0
    ttl: int = 0

    def __str__(self) -> str:
        return f"{self.preference} {self.data or '.'}" if self.type == "MX" else self.data


class Answer(msgspec.Struct, frozen=True):
    """What one question came to. `reason` says why it failed.

    `is_of_alias`: where there is no record of this type, that the name has an alias (CNAME).
    """

    status: Status
    records: tuple[Record, ...] = ()
    reason: str = ""
    is_of_alias: bool = False


NXDOMAIN = Answer("nxdomain")
NODATA = Answer("nodata")
NODATA_OF_ALIAS = Answer("nodata", is_of_alias=True)
