"""Reads an SQL query as far as lint has to: what is quoted, and what stands side by side."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"(?P<quoted>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`)"
    r"|(?P<open>\()|(?P<close>\))|(?P<expansion>%[a-zA-Z0-9])|(?P<word>\w+)",
    re.DOTALL,
)
_ENDS_CONDITION = frozenset({"UNION", "GROUP", "ORDER", "LIMIT", "SELECT"})


def unquoted_expansions(query: str) -> list[str]:
    """The %-expansions of the key that stand outside quotes."""
    return [match["expansion"] for match in _TOKEN.finditer(query) if match["expansion"]]


def mixes_and_with_or(query: str) -> bool:
    """Whether AND and OR stand beside each other after WHERE, with no parentheses between."""
    return any({"AND", "OR"} <= words for words in _conditions(query))


def _conditions(query: str) -> Iterator[set[str]]:
    """The words AND and OR of each level of parentheses, from one WHERE to its end."""
    levels: list[set[str] | None] = [None]
    for token in _TOKEN.finditer(query):
        if token["open"]:
            inner = levels[-1]
            levels.append(None if inner is None else set())
        elif token["close"]:
            finished = levels.pop() if len(levels) > 1 else None
            if finished:
                yield finished
        elif token["word"]:
            word = token["word"].upper()
            top = levels[-1]
            if word == "WHERE":
                levels[-1] = set()
            elif word in _ENDS_CONDITION:
                if top:
                    yield top
                levels[-1] = None
            elif word == "BETWEEN" and top is not None:
                top.add("BETWEEN")
            elif word == "AND" and top is not None and "BETWEEN" in top:
                top.discard("BETWEEN")
            elif word in ("AND", "OR") and top is not None:
                top.add(word)
    yield from (level for level in levels if level)
