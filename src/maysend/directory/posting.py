"""Who may write to a protected recipient: pure functions over what a `Reader` answers.

A list protects its address: with or without an extension, and through every alias, pattern and
catch-all that delivers to it. Mail that reaches several lists at once needs to be allowed by each.

Who may is the union of what the list's posters say:

- a login;
- `@domain`: every login of that domain;
- `members`: the accounts that the list's own address delivers to;
- `users`: everybody who has logged in;
- `everyone`: strangers too, so that the list protects nothing.

A list without posters, and one whose posters are all disabled, suspended or gone, is closed to
everybody.
"""

from collections.abc import Iterable, Sequence

from maysend.directory.addresses import comparable
from maysend.directory.names import Reader, candidates
from maysend.directory.ownership import expand

MEMBERS = "members"
USERS = "users"
EVERYONE = "everyone"
WORDS = (MEMBERS, USERS, EVERYONE)
"""What a list's posters may be besides logins and `@domain`."""

ANY_LOGIN = "*"
"""In an answer: every login."""

NOBODY = "<nobody>"
"""The answer for a closed list: no login looks like this, and an empty answer is an error."""


def posters(reader: Reader, recipient: str, delimiters: str = "") -> tuple[str, ...] | None:
    """Who may write to `recipient`, in any spelling: logins, `@domain`, "*"; None: it is open.

    () is a list that is closed. AliasBoundError where an alias leads too far.
    """
    name = comparable(recipient)
    if name in ("", "<>"):
        return None
    allowed: frozenset[str] | None = None
    for address, words in _lists_behind(reader, name, delimiters):
        if EVERYONE in words:
            continue
        here = _allowed(reader, address, words, delimiters)
        allowed = here if allowed is None else _both(allowed, here)
    return None if allowed is None else tuple(sorted(allowed))


def may_post(login: str, answer: Iterable[str]) -> bool:
    """Whether `login`, in its stored form, is among what `posters` answered."""
    domain = login.rpartition("@")[2] if "@" in login else ""
    return any(
        word in (ANY_LOGIN, login) or (bool(domain) and word == f"@{domain}") for word in answer
    )


def _lists_behind(
    reader: Reader, name: str, delimiters: str
) -> Iterable[tuple[str, Sequence[str]]]:
    addresses = expand(reader, name, delimiters, sending=False).addresses
    named = dict.fromkeys(
        key
        for address in addresses
        for key in candidates(address, delimiters)
        if "@" in key and not key.startswith("@")
    )
    return reader.posters(list(named)).items()


def _allowed(reader: Reader, address: str, words: Sequence[str], delimiters: str) -> frozenset[str]:
    logins = [word for word in words if word not in WORDS and not word.startswith("@")]
    allowed = {login for login, may_act in reader.accounts(logins).items() if may_act}
    allowed.update(word for word in words if word.startswith("@"))
    if USERS in words:
        allowed.add(ANY_LOGIN)
    if MEMBERS in words:
        members = expand(reader, address, delimiters, sending=False).accounts
        allowed.update(login for login, may_act in members.items() if may_act)
    return frozenset(allowed)


def _both(first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
    """What is allowed by either of two answers' words and by the other."""
    return frozenset(
        narrower
        for one, other in ((first, second), (second, first))
        for narrower in one
        if may_post(narrower, other) or (narrower.startswith("@") and narrower in other)
    )
