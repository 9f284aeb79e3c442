"""Where a listener listens: `unix:/path` or `inet:host:port`."""

import msgspec

LONGEST_PATH = 107
"""Octets of a unix socket's path (unix(7))."""


class Address(msgspec.Struct, frozen=True):
    """`path` of a unix socket, or `host` and `port`; a host of "*" is every address."""

    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"inet:[{self.host}]:{self.port}" if ":" in self.host else f"inet:{self.netloc}"

    @property
    def netloc(self) -> str:
        """host:port."""
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address. Raises ValueError, which says what was expected."""
        kind, colon, rest = text.partition(":")
        if kind == "unix" and colon:
            return cls._unix(rest)
        if kind == "inet" and colon:
            return cls._inet(rest)
        suggestion = ""
        if text.startswith("/"):
            suggestion = f'; did you mean "unix:{text}"?'
        elif kind and rest.isdigit():
            suggestion = f'; did you mean "inet:{text}"?'
        raise ValueError(f'expected "unix:/path" or "inet:host:port", got "{text}"{suggestion}')

    @classmethod
    def _unix(cls, path: str) -> "Address":
        if not path.startswith("/"):
            raise ValueError(f'expected an absolute path, as in "unix:/run/maysend/{path}"')
        if len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH:
            raise ValueError(f"a unix socket's path has at most {LONGEST_PATH} octets")
        return cls(path=path)

    @classmethod
    def _inet(cls, text: str) -> "Address":
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f'an IPv6 address stands in brackets: "inet:[{host}]:{port}"')
        if not colon or not host:
            raise ValueError(f'expected "inet:host:port", got "inet:{text}"')
        if not (port.isascii() and port.isdigit() and int(port) <= 65535):
            raise ValueError(f'expected a port number from 0 to 65535, got "{port}"')
        return cls(host=host, port=int(port))
