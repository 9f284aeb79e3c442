"""Comments that silence a finding at one place: `# maysend: ignore MS201`.

The comment stands on a line of its own, before what it is about: before a parameter it covers the
whole value, between continuation lines the next line only. Several codes are separated by comma
or space. Table files of Postfix have the same comments.
"""

import re
from functools import lru_cache
from pathlib import Path

from maysend.lint.finding import Finding

_COMMENT = re.compile(r"\s*#\s*maysend:\s*ignore\s+(?P<codes>[A-Z0-9, ]+?)\s*$")


def is_silenced(finding: Finding) -> bool:
    """Whether a comment before the finding's place names its code."""
    place = finding.problem.place
    return place.line > 0 and finding.code in _silenced_codes(place.file).get(
        place.line, frozenset()
    )


@lru_cache(maxsize=64)
def _silenced_codes(file: str) -> dict[int, frozenset[str]]:
    """Line number → the codes that are silenced there."""
    try:
        lines = Path(file).read_text(errors="replace").splitlines()
    except OSError:
        return {}
    silenced: dict[int, frozenset[str]] = {}
    for index, line in enumerate(lines):
        comment = _COMMENT.match(line)
        if comment is None:
            continue
        codes = frozenset(re.findall(r"[A-Z]+[0-9]+", comment["codes"]))
        for number in _covered(lines, index + 1):
            silenced[number] = silenced.get(number, frozenset()) | codes
    return silenced


def _covered(lines: list[str], start: int) -> range:
    """The line numbers, from 1, of what follows a comment."""
    first = start
    while first < len(lines) and _says_nothing(lines[first]):
        first += 1
    end = first + 1
    if first < len(lines) and not lines[first][:1].isspace():
        while end < len(lines) and (lines[end][:1].isspace() or _says_nothing(lines[end])):
            end += 1
    return range(first + 1, min(end, len(lines)) + 1)


def _says_nothing(line: str) -> bool:
    text = line.strip()
    return not text or text.startswith("#")
