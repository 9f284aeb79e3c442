"""The listening sockets: opened before the workers are, handed down to them, given up at the end.

A unix socket is one that all workers accept from. For `inet:` there is one socket per worker on the
same port (SO_REUSEPORT), so that the kernel divides the connections; the supervisor holds them all,
so that connections wait for a worker's successor rather than being reset.
"""

import contextlib
import errno
import grp
import os
import pwd
import socket
import stat
from collections.abc import Iterable, Mapping

from maysend.servers.configuration import Address, ListenerSettings

BACKLOG = 1024
FIRST_PASSED = 3
"""The first descriptor that systemd hands over (sd_listen_fds(3))."""


class SocketError(Exception):
    """A socket that can't be had; the text names the listener and its address."""


class ListenerSockets:
    """The sockets of one listener, one a worker or one for all."""

    def __init__(
        self, settings: ListenerSettings, workers: int, inherited: socket.socket | None
    ) -> None:
        address = settings.endpoint
        self._path = ""
        try:
            if inherited is not None:
                self.sockets = [inherited]
            elif address.path:
                self.sockets = [_unix(address.path, settings)]
                self._path = address.path
            else:
                self.sockets = _inet(address, workers)
        except OSError as problem:
            why = why_not(problem, address)
            raise SocketError(f"{settings.name}: {settings.address}: {why}") from None
        except LookupError as problem:
            raise SocketError(f"{settings.name}: {problem.args[0]}") from None

    def of_worker(self, number: int) -> socket.socket:
        """The socket that worker `number`, counted from 0, accepts from."""
        return self.sockets[number % len(self.sockets)]

    def close(self) -> None:
        """Stop listening, and remove the name of a unix socket."""
        for sock in self.sockets:
            sock.close()
        if self._path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)


def why_not(problem: OSError, address: Address) -> str:
    """Why nobody can listen on `address`, in words."""
    folder = os.path.dirname(address.path)
    if problem.errno == errno.ENOENT and address.path and not os.path.isdir(folder):
        return f"there is no folder {folder}"
    if problem.errno == errno.EADDRINUSE:
        return "another process listens there already"
    return problem.strerror or str(problem)


def handed_over(environment: Mapping[str, str], process: int) -> list[socket.socket]:
    """The sockets that systemd opened for the process of that id (sd_listen_fds(3))."""
    if environment.get("LISTEN_PID") != str(process):
        return []
    count = int(environment.get("LISTEN_FDS", "0"))
    return [socket.socket(fileno=fd) for fd in range(FIRST_PASSED, FIRST_PASSED + count)]


def inherited_for(
    settings: ListenerSettings, sockets: Iterable[socket.socket]
) -> socket.socket | None:
    """The one of `sockets` that listens on the listener's address."""
    address = settings.endpoint
    for sock in sockets:
        name = sock.getsockname()
        if address.path:
            if sock.family == socket.AF_UNIX and name == address.path:
                return sock
        elif sock.family != socket.AF_UNIX and name[1] == address.port:
            host = name[0]
            if host in (address.host, "0.0.0.0", "::") or address.host == "*":
                return sock
    return None


def _unix(path: str, settings: ListenerSettings) -> socket.socket:
    _remove_stale(path)
    owner, group = _owner(settings.owner), _group(settings.group)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Nobody may connect before owner and mode are what they shall be.
        before = os.umask(0o777)
        try:
            sock.bind(path)
        finally:
            os.umask(before)
        os.chown(path, owner, group)
        os.chmod(path, settings.permissions)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove_stale(path: str) -> None:
    """Remove the name that a killed process left. Raises OSError where somebody listens there."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "there is a file of that name which is no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as problem:
            if problem.errno not in (errno.ECONNREFUSED, errno.ENOENT):
                raise
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    os.unlink(path)


def _owner(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid if name else -1
    except KeyError:
        raise LookupError(f'owner = "{name}": there is no such user') from None


def _group(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid if name else -1
    except KeyError:
        raise LookupError(f'group = "{name}": there is no such group') from None


def _inet(address: Address, workers: int) -> list[socket.socket]:
    host = None if address.host == "*" else address.host
    family, _, _, _, name = socket.getaddrinfo(
        host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[-1 if host is None else 0]
    sockets: list[socket.socket] = []
    try:
        for _ in range(workers):
            sock = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if not sockets[1:]:
                # Without SO_REUSEPORT first: with it, two servers on one port would not notice.
                sock.bind(name)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                name = sock.getsockname()
            else:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                sock.bind(name)
        for sock in sockets:
            sock.listen(BACKLOG)
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets
