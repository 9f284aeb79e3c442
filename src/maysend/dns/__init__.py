"""What restrictions ask of DNS: a `Resolver` and its answers.

`SystemResolver` asks the name servers of this host, `Zone` answers from a text, and
`DictionaryResolver` from a dictionary. Whoever evaluates a policy may pass any of them, or their
own.
"""

from maysend.dns.answer import Answer, Record, RecordType
from maysend.dns.dictionary import DictionaryResolver
from maysend.dns.resolver import Resolver
from maysend.dns.system import SystemResolver
from maysend.dns.zone import Zone, ZoneError

__all__ = [
    "Answer",
    "DictionaryResolver",
    "Record",
    "RecordType",
    "Resolver",
    "SystemResolver",
    "Zone",
    "ZoneError",
]
