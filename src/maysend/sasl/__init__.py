"""SASL mechanisms (RFC 4422) as exchanges without I/O; `mechanisms` lists them by name."""

from maysend.sasl.mechanisms import MECHANISMS, acceptable

__all__ = ["MECHANISMS", "acceptable"]
