"""What a domain can be to the directory."""

MANAGED = "managed"
"""Ours to deliver."""
LOCAL = "local"
"""Managed, and names without a domain (root, the login bob) are addresses in it."""
SEND_ONLY = "send-only"
"""Used as sender; its mail is delivered elsewhere, whatever accounts are in it."""
EXCLUDED = "excluded"
"""Not ours at all: only a grant lets a login send as an address in it."""

KINDS = (MANAGED, LOCAL, SEND_ONLY, EXCLUDED)


def is_ours(kind: str) -> bool:
    """Whether mail for a domain of this kind is delivered here."""
    return kind in (MANAGED, LOCAL)
