"""The name servers of this host (/etc/resolv.conf), asked with dnspython.

Answers are kept for as long as they say, in a bounded cache; a question that no server answers in
time has failed. Source: RFC 1035, RFC 2308 (negative answers).
"""

from typing import TYPE_CHECKING

from maysend.dns.answer import NODATA, NODATA_OF_ALIAS, NXDOMAIN, Answer, RecordType

if TYPE_CHECKING:
    from dns.resolver import Resolver as StubResolver

MOST_ANSWERS = 10_000
"""Answers kept."""


class SystemResolver:
    """Asks the name servers of this host, or `nameservers` (IP addresses) at `port`.

    `timeout` is how long one server may take and `lifetime` a whole question, in seconds. Nothing
    is read or loaded before the first question.
    """

    blocking = True

    def __init__(
        self,
        nameservers: tuple[str, ...] = (),
        *,
        port: int = 53,
        timeout: float = 2.0,
        lifetime: float = 6.0,
    ) -> None:
        self._port = port
        self._nameservers = nameservers
        self._timeout = timeout
        self._lifetime = lifetime
        self._stub: StubResolver | None = None

    def query(self, name: str, type: RecordType, /) -> Answer:
        """Ask, or remember the answer."""
        from dns.exception import DNSException
        from dns.name import from_text
        from dns.resolver import NXDOMAIN as NoSuchName
        from dns.resolver import NoAnswer

        from maysend.dns.records import records_of

        try:
            if self._stub is None:
                self._stub = self._new_stub()
            found = self._stub.resolve(from_text(name), type, search=False)
        except NoSuchName:
            return NXDOMAIN
        except NoAnswer as no_answer:
            has_alias = bool(no_answer.kwargs["response"].answer)
            return NODATA_OF_ALIAS if has_alias else NODATA
        except (DNSException, OSError, ValueError) as error:
            return Answer("failed", reason=str(error) or error.__class__.__name__)
        return Answer("found", tuple(records_of(found.rrset)) if found.rrset else ())

    def _new_stub(self) -> "StubResolver":
        from dns.resolver import LRUCache, Resolver

        stub = Resolver(configure=not self._nameservers)
        if self._nameservers:
            stub.nameservers = list(self._nameservers)
        stub.port = self._port
        stub.timeout, stub.lifetime = self._timeout, self._lifetime
        stub.cache = LRUCache(MOST_ANSWERS)
        return stub
