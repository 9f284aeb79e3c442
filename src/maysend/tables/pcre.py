"""# pcre: Perl compatible regular expressions

## What it does
Compares the key with patterns, in the order of the file; the first that matches gives the answer.
It is a pattern table: it is asked whole keys only, and the key is not folded. Patterns match bytes,
so "." is one byte of a UTF-8 character; `(*UTF)` at the start of a pattern changes that.

## Arguments
`pcre:FILE`, or `pcre:{ {rule}, {rule} }`. Lines are

- `/pattern/flags answer`: the delimiter is any character that is neither a letter, a digit nor
  whitespace. `!/pattern/flags answer` applies where the pattern does not match.
- `if /pattern/flags` or `if !/pattern/flags`, and `endif`; they nest.
- A line that starts with whitespace continues the line before, also after `if`: an indented rule
  is lost.

Each flag toggles one option: `i` case-insensitive (on), `s` dot matches newline (on), `m`
multi-line, `x` extended, `A` anchored, `E` dollar only at the very end, `U` ungreedy. `X` is
obsolete and ignored.

In the answer `$1`, `${1}`, `$(1)` are what a group matched, `$$` is a dollar.

## Replies
The answer of the first rule that applies; it may be empty.

## Errors
- A file that can't be read, broken braces: the table is unavailable (retry).
- A rule with an unknown flag, a broken pattern, a missing delimiter, a reference to a group that
  the pattern does not have, any `$number` in a negated rule: skipped with a warning that names
  file and line.
- A pattern that exceeds PCRE2's match limit: a warning, and the search goes on with the next
  rule; an `if` then skips its block.
- An `if` without `endif`: a warning; where it does not match, the search ends.

## Example
    # /etc/postfix/admins.pcre
    /^.*@example\\.com$/    admin

## Source
pcre_table(5); Postfix 3.7 with PCRE2, which decides what equality means here.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Final

from maysend.tables.delimited import CompiledPattern, DelimitedSyntax
from maysend.tables.lines import LogicalLine, read_rules
from maysend.tables.pattern_reading import PatternReader
from maysend.tables.plain_patterns import LazyCompiler
from maysend.tables.prefilter import Prefilter
from maysend.tables.rule_search import PatternTable
from maysend.tables.rule_tests import Engine
from maysend.tables.rules import Condition, compile_rules, search
from maysend.tables.table import TableContext

OBSOLETE: Final = "X"


def _groups(condition: Condition, key: bytes) -> Sequence[bytes] | None:
    return condition.groups(key)


def open_pcre(name: str, context: TableContext) -> PatternTable:
    """Open `pcre:name`. Raises TableError (config) where the rules can't be read."""
    spec = f"pcre:{name}"
    return compile_pcre(read_rules(name, spec, context), spec, context)


def compile_pcre(lines: Iterable[LogicalLine], spec: str, context: TableContext) -> PatternTable:
    """The table of rules that don't come from a file of their own."""
    rules = compile_rules(lines, _syntax(context), spec, context)

    def search_all(key: str) -> str | None:
        return search(rules, key.encode("utf-8", "surrogateescape"), spec, context)

    if context.trace is not None:
        return PatternTable(spec, rules, search_all, None)  # which can tell the line
    engine = Engine(_groups, lambda line, problem: context.warn(f"{spec}, line {line}: {problem}"))
    return PatternTable(spec, rules, search_all, Prefilter(rules, engine, search_all))


@cache
def _compiler() -> Callable[[bytes, int], CompiledPattern]:
    from maysend.tables import pcre2_library  # ctypes is loaded only where a pattern needs it

    return pcre2_library.load()


def _syntax(context: TableContext) -> DelimitedSyntax:
    from maysend.tables import pcre2_library as options

    flags = {
        "i": options.CASELESS,
        "m": options.MULTILINE,
        "s": options.DOTALL,
        "x": options.EXTENDED,
        "A": options.ANCHORED,
        "E": options.DOLLAR_ENDONLY,
        "U": options.UNGREEDY,
        OBSOLETE: 0,
    }
    indifferent = options.DOTALL | options.MULTILINE | options.DOLLAR_ENDONLY | options.UNGREEDY
    compiler = LazyCompiler(PatternReader("perl"), _compiler(), options.CASELESS, indifferent)
    return DelimitedSyntax(
        flags, options.CASELESS | options.DOTALL, compiler, substitutes=context.substitutes
    )
