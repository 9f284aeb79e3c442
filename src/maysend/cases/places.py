"""Where in a case file something is written: TOML parsers don't say once they are done."""

import re

_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_CASE = re.compile(r"\s*\[\[\s*case\s*\]\]")
_TABLE = re.compile(r"\s*\[\s*(?:case\s*\.\s*)?([\w-]+)\s*[.\]]")
_KEY = re.compile(r"\s*([\w-]+)\s*(?:\.\s*([\w-]+)\s*)?[.=]")


class Places:
    """The lines of the keys in the text of a case file."""

    def __init__(self, text: str) -> None:
        self._lines: dict[tuple[int | None, str], int] = {}
        self._read(_STRING_OR_COMMENT.sub(_blank, text))

    def line(self, case: int | None, *keys: str) -> int:
        """The line of a key of case number `case`, or above the first case where that is None.

        Several keys are one inside the other, `main_cf` and a parameter in it. Where it is not
        found: of what it is in; 0 where that is the file.
        """
        for length in range(len(keys), -1, -1):
            line = self._lines.get((case, ".".join(keys[:length])))
            if line is not None:
                return line
        return 0

    def _read(self, text: str) -> None:
        case: int | None = None
        inside = ""
        for number, line in enumerate(text.split("\n"), 1):
            if _CASE.match(line):
                case = 0 if case is None else case + 1
                inside = ""
                self._lines[case, ""] = number
            elif table := _TABLE.match(line):
                inside = table[1]
                self._note(case, inside, number)
            elif key := _KEY.match(line):
                first, second = (inside, key[1]) if inside else (key[1], key[2])
                self._note(case, first, number)
                if second:
                    self._note(case, f"{first}.{second}", number)

    def _note(self, case: int | None, key: str, line: int) -> None:
        self._lines.setdefault((case, key), line)


def _blank(match: re.Match[str]) -> str:
    """Nothing in a text or a comment is a key, but its lines count."""
    return '""' + "\n" * match[0].count("\n")
