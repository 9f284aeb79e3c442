"""What can be wrong with an address."""

from typing import Final

LONGEST_ADDRESS: Final = 2048
"""Characters of an address that are looked at (line_length_limit of postconf(5), where smtpd cuts
a command). Resolving takes time that grows with the square of the length."""


class AddressSyntaxError(ValueError):
    """A path that smtpd answers with "501 5.1.7 Bad sender address syntax" or 5.1.3."""
