"""# regexp: POSIX regular expressions

## What it does
Compares the key with patterns, in the order of the file; the first that matches gives the answer.
It is a pattern table: it is asked whole keys only, and the key is not folded. Patterns match bytes
in the C locale.

## Arguments
`regexp:FILE`, or `regexp:{ {rule}, {rule} }`. Lines are as in pcre tables:

- `/pattern/flags answer`, `!/pattern/flags answer`, any delimiter that is neither a letter, a digit
  nor whitespace.
- `if /pattern/flags` or `if !/pattern/flags`, and `endif`; they nest.
- `/pattern/flags!/pattern/flags answer`, an old form: the first matches and the second does not.
- A line that starts with whitespace continues the line before, also after `if`.

Each flag toggles one option: `i` case-insensitive (on), `x` extended syntax (on), `m` multi-line.

In the answer `$1`, `${1}`, `$(1)` are what a group of the first pattern matched, `$$` is a dollar.

## Replies
The answer of the first rule that applies; it may be empty.

## Errors
- A file that can't be read, broken braces, a C library that is not GNU's: the table is unavailable
  (retry).
- A rule with an unknown flag, a broken pattern, a missing delimiter, a reference to a group that
  the pattern does not have, any `$number` in a negated rule: skipped with a warning that names
  file and line. A backslash at the end of the line closes a pattern.
- An `if` without `endif`: a warning; where it does not match, the search ends.

## Example
    # /etc/postfix/lists.regexp
    /^(.*)-outgoing@(.*)$/  550 Use ${1}@${2} instead

## Source
regexp_table(5), regex(7).
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from maysend.tables.delimited import Both, DelimitedSyntax, Matches, Pattern
from maysend.tables.lines import read_rules
from maysend.tables.pattern_reading import PatternReader
from maysend.tables.plain_patterns import LazyCompiler
from maysend.tables.prefilter import Prefilter
from maysend.tables.rule_search import PatternTable
from maysend.tables.rule_tests import Engine
from maysend.tables.rules import Condition, Rule, compile_rules, search
from maysend.tables.table import TableContext, TableError

if TYPE_CHECKING:
    from maysend.tables.posix_regex import PosixLibrary


class RegexpSyntax(DelimitedSyntax):
    """`/pattern/flags answer`, with an optional second pattern after the first one's flags."""

    def is_flag(self, text: str, offset: int) -> bool:
        """A "!" ends the flags."""
        return text[offset] != "!"

    def match(self, text: str, warn: Callable[[str], None], /) -> Rule:
        """Read one or two patterns and the answer. Raises RuleError."""
        first, rest = self.pattern(text)
        if not rest.startswith("!"):
            return self.rule(first, rest, warn)
        second, rest = self.pattern(rest)
        rule = self.rule(first, rest, warn)
        rule.condition = Both(rule.condition, self._compiled(second))
        return rule

    def _compiled(self, pattern: Pattern) -> Matches:
        text = pattern.text.encode("utf-8", "surrogateescape")
        return Matches(self.compile_pattern(text, pattern.options), pattern.negated)


def open_regexp(name: str, context: TableContext) -> PatternTable:
    """Open `regexp:name`. Raises TableError (config) where the rules can't be read."""
    spec = f"regexp:{name}"
    lines = read_rules(name, spec, context)
    try:
        library = _library()
    except (OSError, AttributeError) as error:
        raise TableError(spec, f"needs the GNU C library: {error}", "config") from error
    with library.c_locale():
        rules = compile_rules(lines, _syntax(library, context), spec, context)

    def search_all(key: str) -> str | None:
        with library.c_locale():
            return search(rules, key.encode("utf-8", "surrogateescape"), spec, context)

    if context.trace is not None:
        return PatternTable(spec, rules, search_all, None)  # which can tell the line

    def groups(condition: Condition, key: bytes) -> Sequence[bytes] | None:
        before = library.enter_c_locale()  # in short: this is asked often
        try:
            return condition.groups(key)
        finally:
            library.leave_c_locale(before)

    engine = Engine(groups, lambda line, problem: context.warn(f"{spec}, line {line}: {problem}"))
    return PatternTable(spec, rules, search_all, Prefilter(rules, engine, search_all))


@cache
def _library() -> "PosixLibrary":
    from maysend.tables.posix_regex import PosixLibrary  # ctypes only where a pattern needs it

    return PosixLibrary()


def _syntax(library: "PosixLibrary", context: TableContext) -> RegexpSyntax:
    from maysend.tables.posix_regex import EXTENDED, ICASE, NEWLINE

    flags = {"i": ICASE, "x": EXTENDED, "m": NEWLINE}
    compiler = LazyCompiler(PatternReader("posix"), library.compile, ICASE | EXTENDED, NEWLINE)
    return RegexpSyntax(
        flags,
        ICASE | EXTENDED,
        compiler,
        backslash_closes=True,
        substitutes=context.substitutes,
    )
