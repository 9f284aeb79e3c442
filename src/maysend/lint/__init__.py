"""Finds what is wrong with a sender policy before it matters: `maysend lint`."""

from maysend.lint.configuration import Configuration, Smtpd
from maysend.lint.finding import CounterExample, Finding, Problem, Severity
from maysend.lint.linting import lint, refusal

__all__ = [
    "Configuration",
    "CounterExample",
    "Finding",
    "Problem",
    "Severity",
    "Smtpd",
    "lint",
    "refusal",
]
