"""Table types that are not here, and what to do instead (`postconf -m` lists Postfix's own)."""

from collections.abc import Iterable

_LATER = "maysend has none in this version"

INSTEAD = {
    "dbm": f"{_LATER}; use lmdb:, hash: or texthash: with the same source file",
    "sdbm": f"{_LATER}; use lmdb:, hash: or texthash: with the same source file",
    "mongodb": f"{_LATER}; Postfix itself needs 3.9 and the Debian package postfix-mongodb",
    "nis": _LATER,
    "nisplus": _LATER,
    "netinfo": _LATER,
}
"""Table type of Postfix → what to do without it."""


def explain_unsupported(type_name: str, available: Iterable[str]) -> str:
    """What to say about a table of a type that there is no opener for."""
    instead = INSTEAD.get(type_name)
    known = ", ".join(sorted(available))
    if instead is not None:
        return f"unsupported dictionary type: {type_name}: {instead}; available: {known}"
    return (
        f"unsupported dictionary type: {type_name}: no such table type; available: {known} "
        "(`postconf -m` lists what the installed Postfix knows)"
    )
