"""The gateway's own certificate, which can be replaced while it runs (SIGHUP)."""

import ssl
from pathlib import Path


class ServerTls:
    """A server's TLS from files. Raises OSError, ssl.SSLError where they can't be used."""

    def __init__(self, certificate: Path, key: Path | None = None) -> None:
        self._certificate = certificate
        self._key = key
        self.context = self._made()

    def reload(self) -> None:
        """Read the files again: connections from now on are given the new certificate.

        Where that fails, the old one stays and the error is raised.
        """
        # A broken pair would leave the living context with a key that is not its certificate's.
        self._made()
        self.context.load_cert_chain(self._certificate, self._key)

    def _made(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._certificate, self._key)
        return context
