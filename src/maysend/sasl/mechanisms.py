"""The mechanisms that are spoken here, and which of them smtpd_sasl_security_options leaves.

Adding one is a file with a class as `exchange.Mechanism`, and its line in MECHANISMS.
"""

from collections.abc import Callable, Iterable

import msgspec

from maysend.sasl.cram_md5 import CramMd5
from maysend.sasl.exchange import Circumstances, Mechanism
from maysend.sasl.login import Login
from maysend.sasl.plain import Plain
from maysend.sasl.scram_sha_256 import ScramSha256


class MechanismType(msgspec.Struct, frozen=True):
    """How an exchange is begun, and what Dovecot says of the mechanism in its MECH line."""

    begin: Callable[[Circumstances], Mechanism]
    properties: frozenset[str]


MECHANISMS: dict[str, MechanismType] = {
    "PLAIN": MechanismType(lambda _: Plain(), frozenset({"plaintext"})),
    "LOGIN": MechanismType(lambda _: Login(), frozenset({"plaintext"})),
    "CRAM-MD5": MechanismType(CramMd5, frozenset({"dictionary", "active"})),
    "SCRAM-SHA-256": MechanismType(ScramSha256, frozenset({"mutual-auth"})),
}
"""In the order in which they are offered."""

FORBIDDEN_BY = {
    "noplaintext": "plaintext",
    "noactive": "active",
    "nodictionary": "dictionary",
    "noanonymous": "anonymous",
}
REQUIRED_BY = {"forward_secrecy": "forward-secrecy", "mutual_auth": "mutual-auth"}
SECURITY_OPTIONS = (*FORBIDDEN_BY, *REQUIRED_BY)
"""The words of smtpd_sasl_security_options, as smtpd knows them for Dovecot (postconf(5))."""

Offers = Iterable[tuple[str, frozenset[str]]]
"""Mechanisms and their properties."""


def acceptable(offers: Offers, options: Iterable[str]) -> tuple[str, ...]:
    """Those of `offers` that the options leave, in their order.

    What Dovecot calls private is for other protocols.
    """
    wanted = set(options)
    forbidden = {FORBIDDEN_BY[option] for option in wanted & FORBIDDEN_BY.keys()} | {"private"}
    required = {REQUIRED_BY[option] for option in wanted & REQUIRED_BY.keys()}
    return tuple(
        name for name, properties in offers if not properties & forbidden and required <= properties
    )
