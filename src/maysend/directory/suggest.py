"""What somebody who mistyped a name may have meant."""

import difflib
from collections.abc import Iterable

from maysend.directory.errors import DirectoryError


def unknown(kind: str, name: str, known: Iterable[str]) -> DirectoryError:
    """The error for a `kind` that is not there, with the nearest one that is."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    hint = f"; did you mean '{near[0]}'?" if near else f": see `maysend {kind} list`"
    return DirectoryError(f"there is no {kind} '{name}'{hint}")
