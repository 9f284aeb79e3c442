"""The addresses of a host, and in which order, as getaddrinfo(3) gives them to smtpd.

IPv6 comes first, as where neither kind of address is preferred (RFC 6724). Names are looked up in
DNS only, not in /etc/hosts; `localhost` is the loopback interface (RFC 6761 6.3).
"""

import msgspec

from maysend.address.hostname import is_valid_address
from maysend.dns import RecordType
from maysend.restrictions.evaluation import Evaluation

UNKNOWN_NAME = "Name or service not known"
NO_ADDRESS = "No address associated with hostname"
TRY_AGAIN = "Temporary failure in name resolution"

_FAMILIES: dict[RecordType, str] = {"AAAA": "ipv6", "A": "ipv4"}
_LOOPBACK: dict[RecordType, str] = {"AAAA": "::1", "A": "127.0.0.1"}


class HostAddresses(msgspec.Struct, frozen=True):
    """Addresses, or why there are none."""

    addresses: tuple[str, ...]
    error: str = ""


def addresses_of(evaluation: Evaluation, host: str) -> HostAddresses:
    """The addresses of a host, of the kinds in $inet_protocols."""
    if is_valid_address(host):
        return HostAddresses((host,))
    types = [type for type in _FAMILIES if _FAMILIES[type] in evaluation.site.address_families]
    if host.lower().removesuffix(".") == "localhost":
        return HostAddresses(tuple(_LOOPBACK[type] for type in types))
    answers = [evaluation.query_dns(host.removesuffix("."), type) for type in types]
    found = tuple(record.data for answer in answers for record in answer.records)
    if found:
        return HostAddresses(found)
    statuses = {answer.status for answer in answers}
    if statuses == {"failed"}:
        return HostAddresses((), TRY_AGAIN)
    # getaddrinfo(3) takes an answer that has only an alias for a name that does not exist.
    has_name = any(answer.status == "nodata" and not answer.is_of_alias for answer in answers)
    return HostAddresses((), NO_ADDRESS if has_name else UNKNOWN_NAME)
