"""What can be wrong with an address."""


class AddressSyntaxError(ValueError):
    """A path that smtpd answers with "501 5.1.7 Bad sender address syntax" or 5.1.3."""
