"""A query that is prepared once a connection, so that the server need not plan it for each key.

What stands between quotes and holds a part of the key becomes a parameter: `WHERE a = '%u@%d'` is
prepared as `WHERE a = $1`. To PostgreSQL both have the type "unknown" until the query says which,
so they mean the same. Each gets a number of its own, as two quoted strings may get two types.
"""

import re
from hashlib import sha256

import msgspec

from maysend.tables.key_template import Template

_LETTER = "\0"  # no file of parameters holds it

_PIECE = re.compile(
    r"(?<![\w&])'(?P<quoted>[^'\\]*)'(?!')"  # E'…', U&'…' and the like have rules of their own
    r'|"[^"\0]*"'
    r"|-(?!-)"
    r"|/(?!\*)"
    r"""|[^'"\\$;\0/-]"""
)
"""What a query may consist of; anything else, such as a comment or `$$`, is not prepared."""


class Statement(msgspec.Struct, frozen=True):
    """The query as it is prepared, and what its parameters are made of."""

    name: bytes
    text: bytes
    parameters: tuple[Template, ...]

    def arguments(self, key: str) -> list[bytes]:
        """The parameters for a `key`."""
        return [
            template.filled(key, _as_it_is).encode("utf-8", "surrogateescape")
            for template in self.parameters
        ]


def statement_of(query: Template) -> Statement | None:
    """The statement to prepare; None where a query can only be sent as it is."""
    letters = iter([text for is_letter, text in query.pieces if is_letter])
    written = "".join(_LETTER if is_letter else text for is_letter, text in query.pieces)
    text, parameters, place = "", [], 0
    while place < len(written):
        piece = _PIECE.match(written, place)
        if piece is None:
            return None
        quoted = piece["quoted"]
        if quoted is not None and _LETTER in quoted:
            parts = re.split(f"({_LETTER})", quoted)
            pieces = tuple(
                (part == _LETTER, next(letters) if part == _LETTER else part)
                for part in parts
                if part
            )
            parameters.append(Template(pieces, frozenset(t for letter, t in pieces if letter)))
            text += f"${len(parameters)}"
        else:
            text += piece[0]
        place = piece.end()
    if not parameters:
        return None
    octets = text.encode("utf-8", "surrogateescape")
    # A pooler may pass statements of one client to another: a name has to mean one query only.
    name = f"maysend_{sha256(octets).hexdigest()[:32]}"
    return Statement(name.encode(), octets, tuple(parameters))


def _as_it_is(value: str) -> str:
    return value
