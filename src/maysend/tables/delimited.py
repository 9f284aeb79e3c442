"""Rules of the form `/pattern/flags answer`, which regexp and pcre tables share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from maysend.maincf.lines import WHITESPACE
from maysend.tables.rules import Condition, Rule, RuleError, starts_alphanumeric
from maysend.tables.substitution import Replacement, SubstitutionError, parse_replacement


class CompiledPattern(Protocol):
    """A pattern that an engine has compiled."""

    @property
    def group_count(self) -> int:
        """How many parentheses capture."""
        ...

    def match(self, key: bytes, wanted: int, /) -> Sequence[bytes] | None:
        """What the first `wanted` groups matched (b"" where unset), None for no match.

        Raises MatchError.
        """
        ...


class Pattern(msgspec.Struct, frozen=True):
    """A pattern as written: its text, whether it is negated, and its options."""

    text: str
    negated: bool
    options: int


class Matches(msgspec.Struct, frozen=True):
    """The condition that a pattern matches, or, negated, that it does not."""

    compiled: CompiledPattern
    negated: bool
    wanted: int = 0

    def groups(self, key: bytes, /) -> Sequence[bytes] | None:
        """What the wanted groups matched. Raises MatchError."""
        groups = self.compiled.match(key, self.wanted)
        if self.negated:
            return () if groups is None else None
        return groups


class Both(msgspec.Struct, frozen=True):
    """Two conditions that both have to hold; the groups are those of the first."""

    first: Condition
    second: Condition

    def groups(self, key: bytes, /) -> Sequence[bytes] | None:
        """The first condition's groups. Raises MatchError."""
        groups = self.first.groups(key)
        if groups is None or self.second.groups(key) is None:
            return None
        return groups


class DelimitedSyntax:
    """Reads `/pattern/flags answer`.

    `flags` maps a flag letter to the option that it toggles, `default` are the options without
    flags, `compile_pattern` is the engine. `backslash_closes`: a lone backslash at the end of the
    line ends the pattern (regexp), instead of leaving it open (pcre). `substitutes`: see
    TableContext.
    """

    def __init__(
        self,
        flags: Mapping[str, int],
        default: int,
        compile_pattern: Callable[[bytes, int], CompiledPattern],
        *,
        backslash_closes: bool = False,
        substitutes: bool = True,
    ) -> None:
        self.flags = flags
        self.default = default
        self.compile_pattern = compile_pattern
        self.backslash_closes = backslash_closes
        self.substitutes = substitutes

    def is_match(self, text: str, /) -> bool:
        """Whether the line starts with a delimiter or "!"."""
        return not starts_alphanumeric(text)

    def match(self, text: str, warn: Callable[[str], None], /) -> Rule:
        """Read a pattern and its answer. Raises RuleError."""
        pattern, rest = self.pattern(text)
        return self.rule(pattern, rest, warn)

    def rule(self, pattern: Pattern, rest: str, warn: Callable[[str], None]) -> Rule:
        """The rule of `pattern` that answers `rest`. Raises RuleError."""
        replacement = read_answer(rest, warn)
        if replacement.highest and not self.substitutes:
            raise RuleError("regular expression substitution is not allowed: skipping this rule")
        if replacement.highest and pattern.negated:
            raise RuleError("$number found in negative match replacement text: skipping this rule")
        compiled = self.compile_pattern(_bytes(pattern.text), pattern.options)
        if replacement.highest > compiled.group_count:
            raise RuleError(
                f'out of range replacement index "{replacement.highest}": skipping this rule'
            )
        return Rule(
            0, Matches(compiled, pattern.negated, replacement.highest), _answering(replacement)
        )

    def condition(self, text: str, /) -> tuple[Condition, str]:
        """Read one pattern without an answer. Raises RuleError."""
        pattern, rest = self.pattern(text)
        compiled = self.compile_pattern(_bytes(pattern.text), pattern.options)
        return Matches(compiled, pattern.negated), rest.strip(WHITESPACE)

    def check_endif(self, rest: str, warn: Callable[[str], None], /) -> None:
        """Text behind endif means nothing."""
        warn("ignoring extra text after ENDIF")

    def pattern(self, text: str) -> tuple[Pattern, str]:
        """Read one pattern with its flags, and what is left. Raises RuleError."""
        start = 0
        negated = False
        while text[start : start + 1] and text[start] in f"!{WHITESPACE}":
            negated ^= text[start] == "!"
            start += 1
        if start == len(text):
            raise RuleError("no regexp: skipping this rule")
        end = self._closing(text, start)
        options, end_of_flags = self._options(text, end + 1)
        return Pattern(text[start + 1 : end], negated, options), text[end_of_flags:]

    def _closing(self, text: str, start: int) -> int:
        """The offset of the delimiter that closes the one at `start`. Raises RuleError."""
        delimiter = text[start]
        offset = start + 1
        while offset < len(text):
            if text[offset] == "\\":
                if self.backslash_closes and offset == len(text) - 1:
                    return offset
                offset += 1
            elif text[offset] == delimiter:
                return offset
            offset += 1
        raise RuleError(f'no closing regexp delimiter "{delimiter}": skipping this rule')

    def _options(self, text: str, start: int) -> tuple[int, int]:
        """The options that the flags at `start` leave, and the offset behind them."""
        options = self.default
        offset = start
        while offset < len(text) and text[offset] not in WHITESPACE and self.is_flag(text, offset):
            flag = text[offset]
            if flag not in self.flags:
                raise RuleError(
                    f'unknown regexp option "{flag}": expected {" ".join(self.flags)}: '
                    "skipping this rule"
                )
            options ^= self.flags[flag]
            offset += 1
        return options, offset

    def is_flag(self, text: str, offset: int) -> bool:
        """Whether the flags go on at `offset`."""
        return True


def read_answer(rest: str, warn: Callable[[str], None]) -> Replacement:
    """The answer behind a pattern, whitespace at its start dropped. Raises RuleError."""
    answer = rest.lstrip(WHITESPACE)
    if not answer:
        warn("no replacement text: using empty string")
    try:
        return parse_replacement(answer)
    except SubstitutionError as error:
        raise RuleError(f"bad replacement syntax: {error}: skipping this rule") from error


def _answering(replacement: Replacement) -> Callable[[Sequence[bytes]], str]:
    if replacement.highest:
        return replacement.filled
    text = "".join(str(piece) for piece in replacement.pieces)
    return lambda groups: text


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
