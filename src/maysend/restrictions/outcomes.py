"""The outcomes by short names, which compiled code reads without a lookup.

Python 3.11 takes long to find a member in its Enum.
"""

from typing import Final

from maysend.restrictions.outcome import Outcome

DUNNO: Final = Outcome.DUNNO
OK: Final = Outcome.OK
REJECT: Final = Outcome.REJECT
