"""Internationalised domain names: U-labels and A-labels by UTS #46, as Postfix asks ICU for them.

Not strict IDNA 2008: names that the registries would refuse (`☺.example`) are converted, because
Postfix converts them.
"""

import unicodedata

from maysend.address.hostname import is_valid_hostname

_ACE_PREFIX = "xn--"
_LONGEST_LABEL = 63
_LONGEST_DOMAIN = 253


def is_valid_utf8_hostname(name: str) -> bool:
    """Whether `name` can be a host name, an internationalised one judged by its A-labels."""
    return is_valid_hostname(name) if name.isascii() else domain_to_ascii(name) is not None


def domain_to_ascii(domain: str) -> str | None:
    """Return the domain with A-labels, mapped and folded; None where that is no host name."""
    mapped = _mapped(domain)
    if mapped is None:
        return None
    labels = [_a_label(label) for label in mapped]
    if None in labels:
        return None
    name = ".".join(label for label in labels if label is not None)
    return name if len(name) <= _LONGEST_DOMAIN and is_valid_hostname(name) else None


def _mapped(domain: str) -> list[str] | None:
    """Map and split the domain; None for a character that no domain may have, an empty label."""
    remapped = _remapped(domain)
    if remapped is None:
        return None
    labels = remapped.split(".")
    names = labels[:-1] if len(labels) > 1 and labels[-1] == "" else labels
    return None if "" in names else labels


def _a_label(label: str) -> str | None:
    unicode_label = _u_label(label)
    if unicode_label is None:
        return None
    if unicode_label.isascii():
        ascii_label = label
    else:
        ascii_label = _ACE_PREFIX + unicode_label.encode("punycode").decode("ascii")
    return ascii_label if len(ascii_label) <= _LONGEST_LABEL else None


def _u_label(label: str) -> str | None:
    """Return the label in Unicode; None where UTS #46 4.1 (validity criteria) refuses it."""
    if label.startswith(_ACE_PREFIX):
        decoded = _decoded(label)
        if decoded is None:
            return None
        label = decoded
    if label.startswith("-") or label.endswith("-") or label[2:4] == "--":
        return None
    if label and unicodedata.category(label[0]).startswith("M"):
        return None
    return label


def _decoded(label: str) -> str | None:
    """Decode an A-label; None where its content isn't what mapping would have left of it."""
    try:
        decoded = label[len(_ACE_PREFIX) :].encode("ascii").decode("punycode")
    except UnicodeError:
        return None
    return decoded if not decoded.isascii() and _remapped(decoded) == decoded else None


def _remapped(text: str) -> str | None:
    """Apply the mapping of UTS #46 4 step 1 and 2; None where it disallows a character."""
    import idna  # its tables of Unicode are only for who needs them

    try:
        return idna.uts46_remap(text, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError):
        return None
