"""# refused-configuration: smtpd would not start

## What it does
Reports what keeps smtpd from starting: a line that is no setting, a value that can't be read, no
relay control, a restriction class without a definition.

## Why it is bad
Clients get no answer, or a 421, while `postfix check` says nothing.

## Example
    smtpd_restriction_classes = insiders_only
    # and no line "insiders_only = …"

## Use instead
Define what is named, or take the name away.

## Limits
Lint stops at the first reason of each service, as smtpd does.

## Source
smtpd(8), postconf(5) "smtpd_relay_restrictions", "smtpd_restriction_classes".
"""

from collections.abc import Iterator

from maysend.lint.configuration import Smtpd
from maysend.lint.finding import Problem
from maysend.maincf import Place


def check(smtpd: Smtpd) -> Iterator[Problem]:
    """The reason for which smtpd refuses to start."""
    if smtpd.refusal is not None:
        place = smtpd.refusal.place or Place(f"{smtpd.parameters.directory}/main.cf", 0)
        yield Problem(place=place, written="", message=smtpd.refusal.message)
