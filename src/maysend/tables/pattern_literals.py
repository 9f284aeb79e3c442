"""What has to be in a key for a pattern to match: the texts a prefilter looks for.

A key is looked at as `seen()` makes it: its bytes as characters, ASCII letters in lower case, and
a line end at both sides, so that `^` and `$` are characters too. Keys with line ends of their own
are not looked at this way. A `Reading` says of a part of a pattern what it matches in such a text.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

EDGE: Final = "\n"
"""Stands before and behind the key in `seen()`, and in texts for `^` and `$`."""

LONGEST_KEY: Final = 150
"""Longer keys are left to the engines themselves, with their limits; see `Reading.ways`."""

MOST_WAYS: Final = 5_000_000
"""Half of the match limit with which PCRE2 gives up."""

_START, _END = "\ue000", "\ue001"  # `^` and `$` while a pattern is read; no byte is decoded to them
GROUP: Final = "\ue002"
"""Stands behind the parenthesis of a group that captures, in expressions that tell groups."""

_SPECIAL = re.compile("[^0-9A-Za-z@_-]")
_MOST_TEXTS = 16
_LONGEST_TEXTS = 400  # characters, of all of them
_REMEMBERED = 12  # of the alternatives that a pattern needs, so that none of them gets expensive

Texts = tuple[str, ...]


class Reading(msgspec.Struct, frozen=True):
    """What a part of a pattern matches.

    `exact`: all texts that it matches, None where they are too many or depend on what is around.
    `needed`: of each of these sets of texts one is in whatever it matches. `source`: the same part
    in a syntax that PCRE2 and Python's re understand alike. `ways`: no more than so many ways to
    match are tried on a key of LONGEST_KEY characters. `one_character`: it is always one character.
    """

    exact: Texts | None
    needed: tuple[Texts, ...]
    source: str
    ways: int = 1
    one_character: bool = False


class Understood(msgspec.Struct, frozen=True):
    """A whole pattern whose meaning is known.

    `texts`: it matches where one of these is in the key as seen; None where that does not say it.
    `needed`: see Reading, in terms of the key as seen. `source`: an expression that is found in
    the key as seen where the pattern matches; None where that could take too long. `groups`: the
    same with GROUP in it. `ways`: see Reading, on any place of the key.
    """

    texts: Texts | None
    needed: tuple[Texts, ...]
    source: str | None
    group_count: int
    groups: str = ""
    ways: int = 1


class NotUnderstood(Exception):
    """A pattern that is left to its engine."""


START = Reading((_START,), (), r"(?<=\n)")
END = Reading((_END,), (), r"(?=\n)")
WORD_BOUNDARY = Reading(None, (), "\\b")


def seen(key: str) -> str:
    """`key` as texts are looked for in it."""
    if key.isascii():
        return f"\n{key.lower()}\n"
    raw = key.encode("utf-8", "surrogateescape").lower()
    return f"\n{raw.decode('latin-1')}\n"


def lowered(text: str) -> str:
    """Bytes as characters, with ASCII letters in lower case and no others."""
    return text.lower() if text.isascii() else text.encode("latin-1").lower().decode("latin-1")


def literal(text: str) -> Reading:
    """`text` itself, lowered already."""
    return Reading((text,), (), _SPECIAL.sub(_escaped, text), one_character=len(text) == 1)


def one_of(codes: Iterable[int]) -> Reading:
    """One of these characters, lowered already. Raises NotUnderstood where there is none."""
    members = sorted(codes)
    if not members:
        raise NotUnderstood
    exact = tuple(map(chr, members)) if len(members) <= 3 else None
    return Reading(exact, (), f"[{_ranges(members)}]", one_character=True)


def concatenated(parts: Sequence[Reading]) -> Reading:
    """One part behind the other."""
    if len(parts) == 1:
        return parts[0]
    needed: list[Texts] = []
    run: Texts = ("",)
    broken = False
    ways = 1
    for part in parts:
        ways *= part.ways
        joined = None if part.exact is None else _joined(run, part.exact)
        if joined is not None:
            run = joined
            continue
        broken = True
        needed += (run, *part.needed)
        run = part.exact if part.exact is not None else ("",)
    if broken:
        needed.append(run)
    return Reading(
        None if broken else run, _useful(needed), "".join([part.source for part in parts]), ways
    )


def alternated(branches: Sequence[Reading]) -> Reading:
    """One of the branches."""
    if len(branches) == 1:
        return branches[0]
    exact: Texts | None = ()
    for branch in branches:
        if exact is not None and branch.exact is not None:
            exact = _bounded((*exact, *branch.exact))
        else:
            exact = None
    source = "|".join([branch.source for branch in branches])
    ways = sum(branch.ways for branch in branches)
    one_character = all(branch.one_character for branch in branches)
    return Reading(
        exact, () if exact else _one_of_each(branches), f"(?:{source})", ways, one_character
    )


def repeated(part: Reading, least: int, most: int | None) -> Reading:
    """`part` again and again; `most` None is without end."""
    if part.one_character:
        ways = LONGEST_KEY if most is None else most - least + 1
        ways = min(ways, LONGEST_KEY)
        source = part.source
    else:
        ways = MOST_WAYS + 1
        if most is not None and most <= 3:
            ways = part.ways**most * (most - least + 1)
        source = f"(?:{part.source})"
    exact: Texts | None = None
    if most == 1 and part.exact is not None:
        exact = _bounded(("", *part.exact))
    elif least == most == 2 and part.exact is not None:
        exact = _joined(part.exact, part.exact)
    needed: tuple[Texts, ...] = ()
    if least and exact is None:
        needed = part.needed if part.exact is None else _useful([part.exact])
    upper = "" if most is None else str(most)
    return Reading(exact, needed, f"{source}{{{least},{upper}}}", ways)


def captured(part: Reading) -> Reading:
    """A group whose place may be wanted."""
    source = f"({GROUP}{part.source})"
    return Reading(part.exact, part.needed, source, part.ways, part.one_character)


def understood(whole: Reading, group_count: int) -> Understood:
    """The reading of a whole pattern, in terms of keys as seen."""
    if whole.exact is not None and all(text.strip(f"{_START}{_END}") for text in whole.exact):
        texts = tuple(_edged(text) for text in whole.exact)
        source, ways = _anchored(whole)
        return Understood(texts, (texts,), None, group_count, source if group_count else "", ways)
    if whole.exact is not None:
        # "^$", and patterns that match every key.
        raise NotUnderstood
    source, ways = _anchored(whole)
    needed = tuple(tuple(_edged(text) for text in texts) for texts in whole.needed)
    if ways > MOST_WAYS:
        return Understood(None, needed, None, group_count)
    plain = source.replace(f"({GROUP}", "(?:")
    return Understood(None, needed, plain, group_count, source if group_count else "", ways)


def _anchored(whole: Reading) -> tuple[str, int]:
    """The source of a whole pattern, which begins with the key where "^" does, and its ways."""
    if whole.source.startswith(START.source):
        return f"\\A\\n{whole.source.removeprefix(START.source)}", whole.ways
    return whole.source, whole.ways * LONGEST_KEY


def _joined(first: Texts, second: Texts) -> Texts | None:
    """Each of the first with each of the second behind it; None where they get too many."""
    if len(first) == 1 and len(second) == 1:
        return _bounded((_behind(first[0], second[0]),))
    if len(first) * len(second) > _MOST_TEXTS:
        return None
    return _bounded(tuple(_behind(left, right) for left in first for right in second))


def _behind(left: str, right: str) -> str:
    """`right` behind `left`. `^` inside a text and what comes after `$` is not understood."""
    if not left or not right:
        return left or right
    if left[-1] == _END:
        if right != _END:
            raise NotUnderstood
        return left
    if right[0] == _START:
        if left != _START:
            raise NotUnderstood
        return right
    return left + right


def _bounded(texts: Texts) -> Texts | None:
    if len(texts) == 1:
        return texts if len(texts[0]) <= _LONGEST_TEXTS else None
    if len(texts) > _MOST_TEXTS or sum(map(len, texts)) > _LONGEST_TEXTS:
        return None
    return tuple(dict.fromkeys(texts))


def _useful(needed: Iterable[Texts]) -> tuple[Texts, ...]:
    """Those sets of texts that not every key has."""
    found = [texts for texts in needed if all(text.strip(f"{_START}{_END}") for text in texts)]
    return tuple(found[:_REMEMBERED])


def _one_of_each(branches: Sequence[Reading]) -> tuple[Texts, ...]:
    """A set of texts of which one is in whatever one of the branches matches."""
    chosen: list[str] = []
    for branch in branches:
        sets = _useful([branch.exact]) if branch.exact is not None else branch.needed
        if not sets:
            return ()
        chosen += max(sets, key=lambda texts: min(map(len, texts)))
    bounded = _bounded(tuple(chosen))
    return () if bounded is None else (bounded,)


def _edged(text: str) -> str:
    return text.replace(_START, EDGE).replace(_END, EDGE)


def _escaped(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"


def _ranges(members: Sequence[int]) -> str:
    """The inside of a bracket expression."""
    pieces: list[str] = []
    first = last = members[0]
    for code in (*members[1:], -1):
        if code == last + 1:
            last = code
            continue
        pieces.append(f"\\x{first:02x}" + (f"-\\x{last:02x}" if last > first else ""))
        first = last = code
    return "".join(pieces)
