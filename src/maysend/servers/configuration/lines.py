"""Where a TOML file says what: Python's TOML readers give values, not the lines they stand in.

Only `[table]`, `[[table]]` and `key =` lines are looked at, which is what maysend.toml is made of.
A key inside of an inline table has the line of that table.
"""

import re

_TABLE = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-\" ]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"]+)\s*=")

Path = tuple[str | int, ...]


def key_lines(text: str) -> dict[Path, int]:
    """Every table and key of `text` → its line. The second `[[listener]]` is ("listener", 1)."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.fullmatch(line)
        if header is not None:
            table = _resolved(_parts(header[2]), counts, is_array=header[1] == "[[")
            lines.setdefault(table, number)
            continue
        key = _KEY.match(line)
        if key is not None:
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of `path`, or of the innermost table around it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _parts(name: str) -> Path:
    return tuple(part.strip().strip('"') for part in name.split("."))


def _resolved(parts: Path, counts: dict[Path, int], *, is_array: bool) -> Path:
    """The path of a table header: [listener.limits] belongs to the last [[listener]]."""
    path: Path = ()
    for place, part in enumerate(parts):
        path = (*path, part)
        if is_array and place == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
