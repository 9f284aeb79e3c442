"""The listeners of a maysend.toml at which a Postfix can ask, as Postfix names them."""

import os
from collections.abc import Iterable
from pathlib import PurePosixPath

import msgspec

from maysend.servers.configuration import Address, Configuration, ListenerSettings

KINDS = ("policy", "socketmap", "milter", "dovecot_auth")
"""The kinds of listeners that Postfix is a client of."""

ANY_HOST = ("*", "0.0.0.0", "::", "")
_LOOPBACK = {"localhost": "127.0.0.1"}


class Door(msgspec.Struct, frozen=True):
    """One listener. `server` is its address in main.cf; a unix socket below Postfix's queue
    directory is named relative to that, which holds in a chroot and outside of one."""

    settings: ListenerSettings
    server: str

    @property
    def kind(self) -> str:
        """One of KINDS."""
        return self.settings.kind

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self.settings.endpoint

    def is_named_by(self, server: str, queue_directory: str) -> bool:
        """Whether `server`, "unix:private/policy" or "inet:host:port", is this one to a daemon
        of Postfix, which works in its queue directory."""
        kind, _, rest = server.partition(":")
        address = self.address
        if address.path:
            path = os.path.join(queue_directory, rest)
            return kind in ("unix", "local") and _real(path) == _real(address.path)
        host, _, port = rest.rpartition(":")
        host = host.strip("[]")
        is_host = address.host in ANY_HOST or _LOOPBACK.get(host, host) == _LOOPBACK.get(
            address.host, address.host
        )
        return kind == "inet" and is_host and port == str(address.port)


def doors(
    configuration: Configuration, queue_directory: str, names: Iterable[str] = ()
) -> list[Door]:
    """The listeners that Postfix can ask, or those called `names`.

    Raises LookupError, whose text says which there are, for a name that none has.
    """
    found = [settings for settings in configuration.listeners if settings.kind in KINDS]
    known = [settings.name for settings in found]
    for name in names:
        if name not in known:
            raise LookupError(
                f'no listener "{name}" that Postfix can ask; there are: {", ".join(known)}'
            )
    wanted = set(names) or set(known)
    return [
        Door(settings, _named(settings.endpoint, queue_directory))
        for settings in found
        if settings.name in wanted
    ]


def _named(address: Address, queue_directory: str) -> str:
    if not address.path:
        host = "127.0.0.1" if address.host in ANY_HOST else address.host
        return str(Address(host=host, port=address.port))
    path = PurePosixPath(address.path)
    if path.is_relative_to(queue_directory):
        return f"unix:{path.relative_to(queue_directory)}"
    return f"unix:{path}"


def _real(path: str) -> str:
    """Without symbolic links: /var/run is /run."""
    return os.path.realpath(path)
