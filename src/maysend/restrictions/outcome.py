"""What a restriction says, and what it wants done."""

from enum import Enum

import msgspec


class Outcome(Enum):
    """What one restriction says (postconf(5), "smtpd_recipient_restrictions")."""

    DUNNO = "dunno"
    """It has nothing to say: the next one is asked."""
    OK = "permit"
    """It permits, which ends this stage's list."""
    REJECT = "reject"
    """It refuses, for good or for now."""


class Action(msgspec.Struct, frozen=True, gc=False):
    """Something else than an answer that a table asked for (access(5), "OTHER ACTIONS")."""

    name: str
    argument: str = ""
