"""Service extensions (RFC 5321 2.2) and the parameters that they bring to MAIL and RCPT."""

import msgspec


class MailParameters(msgspec.Struct, frozen=True):
    """What came after MAIL FROM:<…>; None or False where it was not said."""

    size: int | None = None
    body: str | None = None
    smtputf8: bool = False
    ret: str | None = None
    envid: str | None = None

    @property
    def uses_dsn(self) -> bool:
        """Whether a parameter of RFC 3461 was given."""
        return self.ret is not None or self.envid is not None


class RcptParameters(msgspec.Struct, frozen=True):
    """What came after RCPT TO:<…>."""

    notify: str | None = None
    orcpt: str | None = None

    @property
    def uses_dsn(self) -> bool:
        """Whether a parameter of RFC 3461 was given."""
        return self.notify is not None or self.orcpt is not None


NO_MAIL_PARAMETERS = MailParameters()
NO_RCPT_PARAMETERS = RcptParameters()


class Extensions(msgspec.Struct, frozen=True):
    """The service extensions on offer: of a server that we read, or of ours to a client."""

    size: int | None = None
    eightbitmime: bool = False
    smtputf8: bool = False
    dsn: bool = False
    pipelining: bool = False
    enhancedstatuscodes: bool = False
    chunking: bool = False
    starttls: bool = False
    auth: frozenset[str] = frozenset()
    xclient: frozenset[str] = frozenset()
    xforward: frozenset[str] = frozenset()
