"""The SMTP reply: a code, an enhanced status code and a text (RFC 5321 4.2, RFC 3463)."""

from typing import Final

import msgspec

LONGEST_LINE: Final = 510
"""Octets of a reply line before its CR LF (RFC 5321 4.5.3.1.5)."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One reply: `code` as in RFC 5321, `dsn` as in RFC 3463, `text` without either.

    `str()` is the line as Postfix words it, however long; a server cuts it at LONGEST_LINE.
    """

    code: int
    dsn: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.dsn} {self.text}" if self.dsn else f"{self.code} {self.text}"

    @property
    def is_permanent(self) -> bool:
        """Whether the client is told not to try again (5yz)."""
        return self.code >= 500

    @property
    def disconnects(self) -> bool:
        """Whether the server closes the connection after it (421 and 521, RFC 5321 and 7504)."""
        return self.code in (421, 521)
