"""SASL mechanisms (RFC 4422) as exchanges without I/O, by their names in EHLO.

Adding one is a file with a class that has `name`, `start` and `respond`, and its line here.
"""

from maysend.sasl.exchange import Mechanism
from maysend.sasl.login import Login
from maysend.sasl.plain import Plain

MECHANISMS: dict[str, type[Mechanism]] = {"PLAIN": Plain, "LOGIN": Login}
"""In the order in which they are offered."""
