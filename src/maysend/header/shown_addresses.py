"""Addresses that a display name or comment shows: `"ceo@bank.example" <bob@example.com>`.

Many mail clients show nothing but the display name, so what reads as an address there is as much a
claim as the one in brackets. Text is looked at as a reader sees it: encoded words decoded,
characters in Unicode's form NFKC (a full-width "@" is one), what is invisible left out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from maysend.header.defects import MOST_MAILBOXES, HeaderDefect
from maysend.header.encoded_words import decoded
from maysend.header.lexer import check_characters

_DOMAIN: Final = re.compile(r"@([\w-]+(?:[.。][\w-]+)+)")
_LOCAL_PART: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+")
_AROUND: Final = "'`*.!?"
"""Punctuation that stands around an address rather than in it; Outlook writes `'bob@x.com'`."""
_LONGEST_ADDRESS: Final = 320
"""Characters before an "@" that are looked at."""


def shown_addresses(texts: Iterable[str]) -> tuple[str, ...]:
    """The addresses in texts that a reader may see, each once. Raises HeaderDefect."""
    found = dict.fromkeys(address for text in texts for address in _in_text(text))
    if len(found) > MOST_MAILBOXES:
        raise HeaderDefect(f"it shows more than {MOST_MAILBOXES} addresses")
    return tuple(found)


def _in_text(text: str) -> Iterator[str]:
    seen = decoded(text)
    if seen is not text:
        check_characters(seen)
    if not seen.isascii():
        seen = _as_seen(seen)
    end = 0
    for domain in _DOMAIN.finditer(seen):
        # Each character is looked at once, however many "@" there are.
        before = seen[max(end, domain.start() - _LONGEST_ADDRESS) : domain.start()]
        words = _LOCAL_PART.findall(before)
        end = domain.end()
        if not words or not before.endswith(words[-1]):
            continue
        local_part = words[-1].lstrip(_AROUND)
        if local_part:
            yield f"{local_part}@{domain[1].replace('。', '.').lower()}"


def _as_seen(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text)
    return "".join(character for character in normal if unicodedata.category(character) != "Cf")
