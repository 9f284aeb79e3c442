"""Cases: a configuration, what a client says, and the replies it must get.

`maysend test` runs them for users, and the tests of maysend hold a live Postfix to the same files.
"""

from maysend.cases.case import Case, Turn
from maysend.cases.errors import CaseFileError, Problem
from maysend.cases.reading import read_cases
from maysend.cases.running import Difference, Result, run

__all__ = [
    "Case",
    "CaseFileError",
    "Difference",
    "Problem",
    "Result",
    "Turn",
    "read_cases",
    "run",
]
