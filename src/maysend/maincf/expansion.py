"""`$name`, `${name?{a}:{b}}` and `${{a} == {b} ? {x} : {y}}` in parameter values.

Source: postconf(5) at the top. What the manual leaves open follows the installed Postfix: `?` and
`:` test the value as written, before expansion; `{ x }` keeps the spaces inside its braces; the
`{` of a branch may have whitespace before it, a branch without braces keeps its own.
"""

import re
from collections.abc import Callable

import msgspec

from maysend.maincf import levels
from maysend.maincf.errors import MainCfError
from maysend.maincf.lines import WHITESPACE
from maysend.maincf.settings import Setting
from maysend.maincf.tokens import closing_brace
from maysend.maincf.traced import Piece

DEEPEST = 100
"""How deep values may refer to values, as in Postfix."""

LONGEST = 1024 * 1024
"""Characters of an expanded value."""

MOST_PIECES = 100_000
"""Parts of an expanded value that were written in different places."""

MOST_WORK = 16 * LONGEST
"""Characters put together for one value, those of comparisons included."""

_DEEPEST_CALL = 150  # with comparisons, whose operands Postfix doesn't count

_NAME = re.compile(r"[A-Za-z0-9_]*")
_SPACE = re.compile(f"[{WHITESPACE}]*")
_OPERATOR = re.compile(r"[<>!=?+\-*/~&|%]*")
_SUFFIX = re.compile(r"[A-Za-z0-9]*")
_PARENTHESES = {"(": (")", re.compile(r"[()]")), "{": ("}", re.compile(r"[{}]"))}


class Expanded(msgspec.Struct):
    """The pieces of an expanded value, their length in all, and how deep they came from."""

    pieces: list[Piece]
    length: int = 0
    depth: int = 0


class Expansion:
    """Expands the values of one configuration; `lookup` gives the setting of a name, or None.

    In a parameter a name that nobody set stands for nothing; in the template of a reply, which is
    `strict`, it is an error.
    """

    def __init__(self, lookup: Callable[[str], Setting | None], *, strict: bool = False) -> None:
        self._lookup = lookup
        self._strict = strict
        self._done: dict[str, Expanded] = {}
        self._under_way: list[str] = []
        self._calls = 0
        self._work = 0

    def pieces(self, setting: Setting) -> list[Piece]:
        """The expanded value of `setting`; raises MainCfError as Postfix would stop there."""
        self._under_way.clear()
        self._calls = self._work = 0
        return self._value(setting).pieces

    def _value(self, setting: Setting) -> Expanded:
        done = self._done.get(setting.name)
        if done is None:
            self._under_way.append(setting.name)
            done = Expanded([])
            self._expand(setting, 0, len(setting.raw), 0, done)
            self._under_way.pop()
            self._done[setting.name] = done
        return done

    def _expand(self, setting: Setting, start: int, end: int, depth: int, into: Expanded) -> None:
        """Expand setting.raw[start:end], which stands `depth` levels below the value itself."""
        if start == end:
            return
        self._calls += 1
        if depth > DEEPEST or self._calls > _DEEPEST_CALL:
            raise self._too_deep(setting, start)
        into.depth = max(into.depth, depth)
        raw, position = setting.raw, start
        while (dollar := raw.find("$", position, end)) >= 0:
            self._add(into, setting, position, dollar)
            if raw.startswith("$", dollar + 1, end):
                self._add(into, setting, dollar, dollar + 1)
                position = dollar + 2
            else:
                first, last, position = _reference(setting, dollar, end)
                self._reference(setting, first, last, depth, into)
        self._add(into, setting, position, end)
        self._calls -= 1

    def _reference(
        self, setting: Setting, start: int, end: int, depth: int, into: Expanded
    ) -> None:
        """Expand what stands inside `${ }`."""
        raw = setting.raw
        position = _after_space(raw, start, end)
        if raw.startswith("{", position, end):
            holds, position = self._comparison(setting, position, end)
            if position == end:
                if holds:
                    self._add_text(into, setting, "true", start)
                return
            if raw[position] not in "?:":
                raise _wrong(setting, position, end, '"?" or ":" expected')
            is_set = holds
        else:
            name = _NAME.match(raw, position, end)[0]  # type: ignore[index]
            after = _after_space(raw, position + len(name), end)
            if after < end and raw[after] not in "?:":
                raise _wrong(setting, after, end, "expected a parameter name, then ? or : or }")
            if after == end:
                self._insert(setting, name, start, depth, into)
                return
            position = after
            named = self._lookup(name)
            is_set = named is not None and named.raw != ""
        branch = _branches(setting, position, end)[0 if is_set else 1]
        self._expand(setting, *branch, depth + 1, into)

    def _insert(self, setting: Setting, name: str, at: int, depth: int, into: Expanded) -> None:
        named = self._lookup(name)
        if named is None and self._strict:
            raise MainCfError(f"{setting.name}: unknown name ${name}", setting.place_at(at))
        if named is None or not named.raw:
            return
        if name in self._under_way:
            raise self._recursion(setting, name, at)
        value = self._value(named)
        if depth + 1 + value.depth > DEEPEST:
            raise self._too_deep(setting, at)
        into.depth = max(into.depth, depth + 1 + value.depth)
        self._count(into, setting, at, value.length, len(value.pieces))
        into.pieces.extend(value.pieces)

    def _comparison(self, setting: Setting, position: int, end: int) -> tuple[bool, int]:
        """The outcome of `{a} op {b}`, and the position behind it."""
        raw = setting.raw
        left, position = self._operand(setting, position, end)
        sign = _OPERATOR.match(raw, position, end)[0]  # type: ignore[index]
        relation = levels.RELATIONS.get(sign)
        if relation is None:
            expected = "one of == != < <= >= > expected"
            raise _wrong(setting, position, end, expected)
        position += len(sign)
        suffix = _SUFFIX.match(raw, position, end)[0]  # type: ignore[index]
        if suffix not in ("", "level"):
            raise _wrong(setting, position, end, 'bad operator suffix, expected "level"')
        opening = _after_space(raw, position + len(suffix), end)
        if not raw.startswith("{", opening, end):
            raise _wrong(setting, opening, end, '"{expression}" expected')
        right, position = self._operand(setting, opening, end)
        compare = levels.level_holds if suffix else levels.holds
        try:
            return compare(relation, left, right), position
        except ValueError as error:
            raise MainCfError(f"{setting.name}: {error}", setting.place_at(opening)) from None

    def _operand(self, setting: Setting, opening: int, end: int) -> tuple[str, int]:
        start, closing, behind = _braced(setting, opening, end)
        value = Expanded([])
        self._expand(setting, start, closing, 0, value)
        return "".join([piece.text for piece in value.pieces]), behind

    def _add(self, into: Expanded, setting: Setting, start: int, end: int) -> None:
        if start < end:
            self._add_text(into, setting, setting.raw[start:end], start)

    def _add_text(self, into: Expanded, setting: Setting, text: str, start: int) -> None:
        self._count(into, setting, start, len(text), 1)
        into.pieces.append(Piece(text, setting, start))

    def _count(
        self, into: Expanded, setting: Setting, start: int, length: int, pieces: int
    ) -> None:
        into.length += length
        self._work += length + pieces
        if (
            into.length > LONGEST
            or len(into.pieces) + pieces > MOST_PIECES
            or self._work > MOST_WORK
        ):
            message = f"{setting.name}: the expanded value is too large (limit {LONGEST})"
            raise MainCfError(message, setting.place_at(start))

    def _recursion(self, setting: Setting, name: str, at: int) -> MainCfError:
        circle = [*self._under_way[self._under_way.index(name) :], name]
        message = f"{setting.name}: refers to itself: {' -> '.join(circle[:10])}"
        return MainCfError(message, setting.place_at(at))

    def _too_deep(self, setting: Setting, at: int) -> MainCfError:
        message = f"{setting.name}: unreasonable nesting, more than {DEEPEST} levels"
        return MainCfError(message, setting.place_at(at))


def _reference(setting: Setting, dollar: int, end: int) -> tuple[int, int, int]:
    """Where the inside of `$name`, `${…}` or `$(…)` starts and ends, and what follows it."""
    raw, opening = setting.raw, dollar + 1
    closing, marks = _PARENTHESES.get(raw[opening : min(opening + 1, end)], ("", None))
    if marks is None:
        last = _NAME.match(raw, opening, end).end()  # type: ignore[union-attr]
        if last == opening:
            raise _wrong(setting, dollar, end, 'a name expected after "$" ("$$" is a plain "$")')
        return opening, last, last
    level = 0
    for mark in marks.finditer(raw, opening, end):
        level += -1 if mark[0] == closing else 1
        if level == 0:
            if mark.start() == opening + 1:
                raise _wrong(setting, dollar, end, "empty parameter name")
            return opening + 1, mark.start(), mark.end()
    raise _wrong(setting, dollar, end, f'truncated reference, "{closing}" expected')


def _branches(setting: Setting, position: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two texts of `?{a}:{b}`, `?a` or `:b` from `position` on, as (start, end)."""
    raw, nothing = setting.raw, (end, end)
    opening = _after_space(raw, position + 1, end)
    has_braces = raw.startswith("{", opening, end)
    if raw[position] == ":":
        return nothing, _last_branch(setting, position + 1, end)
    if not has_braces:
        return (position + 1, end), nothing
    start, closing, behind = _braced(setting, opening, end)
    if behind == end:
        return (start, closing), nothing
    if raw[behind] != ":":
        raise _wrong(setting, behind, end, '":" expected')
    return (start, closing), _last_branch(setting, behind + 1, end)


def _last_branch(setting: Setting, position: int, end: int) -> tuple[int, int]:
    opening = _after_space(setting.raw, position, end)
    if not setting.raw.startswith("{", opening, end):
        return position, end
    start, closing, behind = _braced(setting, opening, end)
    if behind != end:
        raise _wrong(setting, behind, end, 'unexpected input behind "}"')
    return start, closing


def _braced(setting: Setting, opening: int, end: int) -> tuple[int, int, int]:
    """Start and end of what is inside the braces at `opening`, and what follows them."""
    closing = closing_brace(setting.raw, opening, end)
    if closing is None:
        raise _wrong(setting, opening, end, 'unbalanced "{"')
    return opening + 1, closing, _after_space(setting.raw, closing + 1, end)


def _after_space(raw: str, position: int, end: int) -> int:
    return _SPACE.match(raw, position, end).end()  # type: ignore[union-attr]


def _wrong(setting: Setting, position: int, end: int, expected: str) -> MainCfError:
    found = setting.raw[position:end][:20]
    return MainCfError(
        f'{setting.name}: {expected} at: "{found}"', setting.place_at(min(position, end))
    )
