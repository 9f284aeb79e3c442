"""The values of special_result_attribute that are LDAP URLs (RFC 2255)."""

from collections.abc import Sequence
from urllib.parse import unquote

import msgspec

from maysend.tables.ldap_parameters import Scope

_SCHEMES = ("ldap://", "ldaps://", "ldapi://", "cldap://")
_SCOPES: dict[str, Scope] = {
    "": "base", "base": "base", "one": "one", "onelevel": "one", "sub": "sub", "subtree": "sub",
}  # fmt: skip


class LdapUrl(msgspec.Struct, frozen=True):
    """What a URL asks for. Its host does not count: the table's own server is asked."""

    base: str
    attributes: tuple[str, ...]
    scope: Scope
    filter_text: str

    @classmethod
    def parse(cls, text: str) -> "LdapUrl":
        """Read `ldap://host/base?attributes?scope?filter?extensions`. Raises ValueError."""
        _, _, rest = _plain(text).partition("://")
        host_and_base, *parts = rest.split("?")
        if len(parts) > 4:
            raise ValueError(f"malformed LDAP URL: {text}")
        attributes, scope, filter_text = [*parts, "", "", ""][:3]
        found = _SCOPES.get(scope.lower())
        if found is None:
            raise ValueError(f"malformed LDAP URL, scope {scope}: {text}")
        return cls(
            base=_decoded(host_and_base.partition("/")[2]),
            attributes=tuple(_decoded(name) for name in attributes.split(",") if name),
            scope=found,
            filter_text=_decoded(filter_text) or "(objectClass=*)",
        )

    def wanted(self, of_table: Sequence[str]) -> list[str]:
        """The attributes to ask for: those that the table reads and the URL selects.

        An option (`mail;lang-de`) that only one of the two has is kept.
        """
        if not self.attributes:
            return list(of_table)
        both: list[str] = []
        for name in self.attributes:
            for other in of_table:
                if is_subtype(other, name):
                    both.append(other)
                    break
                if is_subtype(name, other):
                    both.append(name)
                    break
        return both


def is_url(text: str) -> bool:
    """Whether `text` is meant as an LDAP URL, perhaps as `<URL:ldap://…>`."""
    return _plain(text).lower().startswith(_SCHEMES)


def is_subtype(name: str, of: str) -> bool:
    """Whether the attribute `name` is `of`, or `of` with an option (RFC 2251, section 4.1.5)."""
    name, of = name.lower(), of.lower()
    return name == of or name.startswith(f"{of};")


def _plain(text: str) -> str:
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    return text[4:] if text[:4].lower() == "url:" else text


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")
