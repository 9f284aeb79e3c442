"""A private Postfix whose only name server is ours.

with DnsPostfix() as postfix:
    postfix.configure({"smtpd_sender_restrictions": "reject_unknown_sender_domain"},
                      zone="example.org MX 10 mail.example.org")
"""

from collections.abc import Mapping

from maysend.cases import Case
from maysend.dns import Zone
from tests.differential.fake_dns import FakeDns
from tests.differential.live_postfix import LivePostfix


class DnsPostfix(LivePostfix):
    """As LivePostfix, in a network namespace with a `FakeDns`."""

    def __init__(self) -> None:
        self._dns = FakeDns()
        try:
            super().__init__(within=self._dns.within)
        except BaseException:
            self._dns.close()
            raise

    def configure(
        self,
        parameters: Mapping[str, str],
        files: Mapping[str, str] | None = None,
        zone: str | None = None,
    ) -> None:
        """Replace main.cf, the files beside it, and what the name server knows if that changes."""
        super().configure(parameters, files)
        if zone is not None:
            self.resolver = Zone(zone)
            self._dns.serve(zone)

    def adopt(self, case: Case) -> None:
        """Become the Postfix that a case is about, with the name server that it knows."""
        self.configure(case.main_cf, case.files, case.dns)

    def close(self) -> None:
        """End the daemons and the name server. May be called twice."""
        super().close()
        self._dns.close()
