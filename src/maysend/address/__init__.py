"""Mail addresses as Postfix reads, rewrites and compares them.

Two forms: external, as they travel (`"bob smith"@example.com`), and internal, as Postfix keeps them
(`bob smith@example.com`). Text is UTF-8 decoded with surrogateescape. Everything here is pure.
"""

from maysend.address.errors import AddressSyntaxError
from maysend.address.extension import split_extension
from maysend.address.folding import fold
from maysend.address.path import parse_path
from maysend.address.quoting import quote_local, unquote
from maysend.address.resolving import Resolved, resolve
from maysend.address.rewriting import Rewriting, is_plain, rewrite

__all__ = [
    "AddressSyntaxError",
    "Resolved",
    "Rewriting",
    "fold",
    "is_plain",
    "parse_path",
    "quote_local",
    "resolve",
    "rewrite",
    "split_extension",
    "unquote",
]
