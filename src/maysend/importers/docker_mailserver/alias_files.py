"""postfix-virtual.cf (virtual(5)), postfix-regexp.cf (pcre_table(5)), postfix-aliases.cf
(aliases(5))."""

from collections.abc import Iterable

from maysend.directory.addresses import parse_alias_address, parse_login, parse_name
from maysend.directory.errors import DirectoryError
from maysend.directory.patterns import is_pattern, parse_pattern
from maysend.importers.docker_mailserver.wanted import Wanted
from maysend.tables.lines import LogicalLine

_NOT_MAIL = ("|", "/", ":include:")
"""What a value of aliases(5) begins with when it is no address."""


def read_virtual(lines: Iterable[LogicalLine], file: str, wanted: Wanted) -> None:
    """Add `key  target[, target]`; a key is user@domain, @domain, or a name without a domain."""
    for line in lines:
        key, targets = _key_and_rest(line.text)
        try:
            if not targets:
                raise DirectoryError(f"'{key}' has no target, expected ALIAS TARGET[,TARGET]")
            alias = parse_alias_address(key) if "@" in key else parse_name(key)
            parsed = [_parse_target(target) for target in _split(targets)]
        except DirectoryError as error:
            wanted.remark(file, line.number, "skipped", str(error))
            continue
        if "@" not in key:
            wanted.local_names.add(alias)
        if alias in wanted.aliases:
            wanted.remark(
                file,
                line.number,
                "different",
                f"{alias} is there already: Postfix takes a file with a repeated key for broken, "
                "here the targets add up",
            )
        _add(wanted, alias, parsed)


def read_patterns(lines: Iterable[LogicalLine], file: str, wanted: Wanted) -> None:
    """Add `/pattern/flags  target[, target]`."""
    for line in lines:
        pattern, targets = _pattern_and_rest(line.text)
        try:
            if not is_pattern(pattern):
                raise DirectoryError("expected /pattern/ TARGET[,TARGET]; if, endif and ! are not")
            if not targets:
                raise DirectoryError(f"'{pattern}' has no target")
            parse_pattern(pattern)
            parsed = [target if "$" in target else _parse_target(target)
                      for target in _split(targets)]  # fmt: skip
        except DirectoryError as error:
            wanted.remark(file, line.number, "skipped", str(error))
            continue
        if pattern in wanted.aliases:
            wanted.remark(
                file,
                line.number,
                "skipped",
                f"{pattern} is there already, further up: in Postfix too only the first counts; "
                "write all targets into one line",
            )
            continue
        _add(wanted, pattern, parsed)


def read_local_aliases(lines: Iterable[LogicalLine], file: str, wanted: Wanted) -> None:
    """Add `name: target[, target]`."""
    for line in lines:
        name, colon, targets = line.text.partition(":")
        try:
            if not colon or not targets.strip():
                raise DirectoryError("expected NAME: TARGET[, TARGET]")
            alias = parse_name(name.strip())
            parsed = [_parse_local_target(target) for target in _split(targets)]
        except DirectoryError as error:
            wanted.remark(file, line.number, "skipped", str(error))
            continue
        wanted.local_names.add(alias)
        _add(wanted, alias, parsed)


def _add(wanted: Wanted, alias: str, targets: list[str]) -> None:
    known = wanted.aliases.setdefault(alias, [])
    known.extend(target for target in dict.fromkeys(targets) if target not in known)


def _parse_target(text: str) -> str:
    return parse_alias_address(text) if text.startswith("@") else parse_login(text)


def _parse_local_target(text: str) -> str:
    if text.startswith(_NOT_MAIL) or text.startswith('"|'):
        raise DirectoryError(f"'{text}' is no address: commands, files and lists are Postfix's")
    return _parse_target(text)


def _key_and_rest(text: str) -> tuple[str, str]:
    parts = text.split(None, 1)
    return parts[0], parts[1] if len(parts) > 1 else ""


def _pattern_and_rest(text: str) -> tuple[str, str]:
    """The pattern may hold white space: it ends at the last "/" and flags before the target."""
    start, slash, rest = text.rpartition("/")
    flags, targets = _key_and_rest(rest) if rest.strip() else ("", "")
    if rest[:1].isspace():
        flags, targets = "", rest.strip()
    return (f"{start}{slash}{flags}", targets) if slash else _key_and_rest(text)


def _split(targets: str) -> list[str]:
    return targets.replace(",", " ").split()
