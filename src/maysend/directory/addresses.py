"""The one form in which the directory stores and compares logins, addresses and domains.

Local parts are compared in Unicode normal form C after case folding; domains as lower-case
A-labels (RFC 5890). What is stored is a plain `user@domain`, `@domain` or a login without a
domain: comma, white space and quotes have no place in it, because the answer of a login map is
split on comma and white space (postconf(5), smtpd_sender_login_maps).
"""

import unicodedata

from maysend.directory.errors import DirectoryError

LONGEST_ADDRESS = 320
"""Octets of an address: 64 of local part, "@", 255 of domain (RFC 5321 4.5.3.1)."""

LONGEST_LOCAL_PART = 64
LONGEST_DOMAIN = 255
LONGEST_LABEL = 63

EVERYTHING = "*"
"""A grant for every address in the world, as it is stored; the command line says "everything"."""

_FORBIDDEN_IN_LOCAL_PART = frozenset('"\\,:;<>()[]@*')
_LABEL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def fold(text: str) -> str:
    """`text` in the form in which two spellings of one name are equal (Unicode D145)."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded))


def fold_domain(domain: str) -> str:
    """`domain` as lower-case A-labels; one that has no such form is folded only."""
    if domain.isascii():
        return domain.lower()
    # Most installations never see such a domain, and the IDNA tables are large.
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return fold(domain)


def comparable(address: str) -> str:
    """The form of any address or login that somebody asks about; refuses nothing.

    What could not have been stored simply equals nothing that is.
    """
    local_part, at, domain = address.rpartition("@")
    if not at:
        return fold(address)
    return f"{fold(_unquoted(local_part))}@{fold_domain(domain)}"


def check_line(what: str, text: str, longest: int) -> None:
    """Refuse what would not be one line of a list or an SMTP reply, of `longest` octets."""
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise DirectoryError(f"the {what} has a control character, expected one line of text")
    if len(text.encode()) > longest:
        raise DirectoryError(f"the {what} is over {longest} octets, expected something shorter")


def storable(key: str) -> bool:
    """Whether a database can be asked for `key`: no NUL, and none but real characters."""
    return "\0" not in key and (key.isascii() or _is_unicode(key))


def plain(address: str) -> bool:
    """Whether `address` has nothing in it that could not be stored: commas, white space, …"""
    local_part = address.rpartition("@")[0]
    return not any(c in _FORBIDDEN_IN_LOCAL_PART or c.isspace() for c in local_part)


def parse_address(text: str) -> str:
    """The stored form of `user@domain`; DirectoryError says what is wrong with anything else."""
    _refuse_oddities(text, "user@domain")
    local_part, at, domain = text.rpartition("@")
    if not at:
        raise _not_an_address(text, "it has no '@'")
    if not local_part:
        raise _not_an_address(text, "it has nothing before the '@'")
    _check_local_part(text, local_part, "user@domain")
    return _bounded(text, f"{fold(local_part)}@{_parse_domain(text, domain, 'user@domain')}")


def parse_login(text: str) -> str:
    """The stored form of a login: an address, or a name without a domain."""
    if "@" in text:
        return parse_address(text)
    _refuse_oddities(text, "user@domain or a name")
    _check_local_part(text, text, "user@domain or a name")
    return fold(text)


def parse_name(text: str) -> str:
    """The stored form of a name without a domain, like root."""
    if "@" in text:
        raise DirectoryError(f"{_shown(text)}: it has a domain, expected a name like root")
    return parse_login(text)


def parse_alias_address(text: str) -> str:
    """The stored form of what an alias is for: `user@domain`, or `@domain` for a catch-all."""
    if text.startswith("@"):
        return _parse_whole_domain(text)
    return parse_address(text)


def parse_granted(text: str) -> str:
    """The stored form of what a grant is for: `user@domain`, `@domain`, or "everything"."""
    if text in (EVERYTHING, "everything"):
        return EVERYTHING
    if "@" not in text:
        raise DirectoryError(
            f"{_shown(text)} can't be granted: expected user@domain, @domain or everything"
        )
    return parse_alias_address(text)


def parse_domain(text: str) -> str:
    """The stored form of a domain name."""
    _refuse_oddities(text, "a domain name")
    return _parse_domain(text, text.removeprefix("@"), "a domain name")


def _parse_whole_domain(text: str) -> str:
    _refuse_oddities(text, "@domain")
    return _bounded(text, f"@{_parse_domain(text, text[1:], '@domain')}")


def _parse_domain(text: str, domain: str, expected: str) -> str:
    if not domain:
        raise _not_an_address(text, "it has no domain", expected)
    if "@" in domain:
        raise _not_an_address(text, "it has more than one '@'", expected)
    if domain.startswith("["):
        raise _not_an_address(text, "an address literal can't be registered", expected)
    folded = fold_domain(domain)
    if len(folded) > LONGEST_DOMAIN:
        raise _not_an_address(text, f"its domain is over {LONGEST_DOMAIN} octets", expected)
    for label in folded.split("."):
        if not label:
            raise _not_an_address(text, "its domain has an empty label", expected)
        if len(label) > LONGEST_LABEL:
            raise _not_an_address(text, f"a label is over {LONGEST_LABEL} octets", expected)
        odd = next((c for c in label if c not in _LABEL_CHARACTERS), None)
        if odd is not None:
            raise _not_an_address(text, f"{odd!a} can't be in a domain", expected)
        if label.startswith("-") or label.endswith("-"):
            raise _not_an_address(text, "a label begins or ends with '-'", expected)
    return folded


def _check_local_part(text: str, local_part: str, expected: str) -> None:
    if "@" in local_part:
        raise _not_an_address(text, "it has more than one '@'", expected)
    odd = next((c for c in local_part if c in _FORBIDDEN_IN_LOCAL_PART), None)
    if odd == '"':
        raise _not_an_address(text, "quoted names can't be registered", expected)
    if odd is not None:
        raise _not_an_address(text, f"{odd!a} can't be in a name", expected)
    if local_part.startswith(".") or local_part.endswith(".") or ".." in local_part:
        raise _not_an_address(text, "a dot needs something on both sides", expected)
    if len(local_part.encode()) > LONGEST_LOCAL_PART:
        raise _not_an_address(text, f"its name is over {LONGEST_LOCAL_PART} octets", expected)


def _refuse_oddities(text: str, expected: str) -> None:
    """Refuse what no name of any kind may hold."""
    if not text:
        raise DirectoryError(f"an empty name was given, expected {expected}")
    if not _is_unicode(text):
        raise _not_an_address(text, "it is not valid UTF-8", expected)
    if len(text.encode()) > LONGEST_ADDRESS:
        raise _not_an_address(text, f"it is over {LONGEST_ADDRESS} octets", expected)
    for character in text:
        if character.isspace():
            raise _not_an_address(text, "it has white space in it", expected)
        # Cc, Cf, Cn, Co: what can't be seen could make two different names look the same.
        if unicodedata.category(character).startswith("C"):
            raise _not_an_address(text, f"it has the control character {character!a}", expected)


def _bounded(text: str, parsed: str) -> str:
    if len(parsed.encode()) > LONGEST_ADDRESS:
        raise _not_an_address(text, f"it is over {LONGEST_ADDRESS} octets")
    return parsed


def _not_an_address(text: str, reason: str, expected: str = "user@domain") -> DirectoryError:
    return DirectoryError(f"{_shown(text)}: {reason}, expected {expected}")


def _shown(text: str) -> str:
    """`text` safe to print: what can't be printed is escaped, what is long is cut."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:80])
    return f"'{shown}…'" if len(text) > 80 else f"'{shown}'"


def _unquoted(local_part: str) -> str:
    """The name inside an RFC 5321 Quoted-string; anything else as it is."""
    if len(local_part) < 2 or local_part[0] != '"' or local_part[-1] != '"':
        return local_part
    name: list[str] = []
    characters = iter(local_part[1:-1])
    for character in characters:
        name.append(next(characters, "") if character == "\\" else character)
    return "".join(name)


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
