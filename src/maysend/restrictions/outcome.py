"""What a restriction says."""

from enum import Enum
from typing import Final


class Outcome(Enum):
    """What one restriction says (postconf(5), "smtpd_recipient_restrictions")."""

    DUNNO = "dunno"
    """It has nothing to say: the next one is asked."""
    OK = "permit"
    """It permits, which ends this stage's list."""
    REJECT = "reject"
    """It refuses, for good or for now."""


# Under short names, because Python 3.11 takes long to find a member in its Enum.
DUNNO: Final = Outcome.DUNNO
OK: Final = Outcome.OK
REJECT: Final = Outcome.REJECT
