"""What can be wrong with a header field, and how much of one is looked at."""

from typing import Final

LONGEST_FIELD: Final = 16384
"""Characters of a From:, Sender: or Resent-… field; ample for MOST_MAILBOXES with long names."""
LONGEST_LINE: Final = 998
"""Octets in a line without CRLF (RFC 5322 2.1.1): longer ones are broken by servers on the way,
wherever that is (smtp_line_length_limit of postconf(5))."""
LONGEST_LOCAL_PART: Final = 64
LONGEST_DOMAIN: Final = 255
"""Octets (RFC 5321 4.5.3.1)."""
DEEPEST_COMMENT: Final = 10
"""How deep comments may nest."""
MOST_MAILBOXES: Final = 50
"""Mailboxes in one field, and addresses that its display names and comments show."""
MOST_FIELDS: Final = 50
"""Resent-From: and Resent-Sender: fields, each; as many as hops (hopcount_limit)."""


class HeaderDefect(ValueError):
    """A header that is refused; the text says why, without quoting what the client wrote."""
