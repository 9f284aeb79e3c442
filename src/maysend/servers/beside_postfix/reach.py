"""Whether a daemon of Postfix can reach a socket: tried as what it is, where it is.

smtpd opens its sockets as $mail_owner with that user's groups, in the queue directory, which is its
root where master.cf says so (master(5); Postfix's chroot_uid() calls initgroups(3)).
"""

import grp
import os
import pwd
import socket
import stat
from pathlib import Path

import msgspec

from maysend.servers.beside_postfix.doors import ANY_HOST, Door
from maysend.servers.configuration import Address

PATIENCE = 10.0
"""Seconds for an answer."""

_QUESTIONS = {
    # As smtpd asks when somebody connects: nothing is refused then, and so nothing is logged.
    "policy": b"request=smtpd_access_policy\nprotocol_state=CONNECT\nclient_address=127.0.0.1\n\n",
    "socketmap": b"17:domains localhost,",
    "dovecot_auth": b"",  # speaks first
}
_ANSWERS = {"policy": b"action=", "socketmap": b":", "dovecot_auth": b"VERSION\t"}


class Client(msgspec.Struct, frozen=True):
    """Who connects: a user, from the queue directory, which may be its root."""

    user: str
    queue_directory: str
    is_chrooted: bool


def obstacle(door: Door, client: Client) -> str:
    """What keeps `client` from being answered at `door`; nothing where it is answered.

    As root this becomes the client, in a process of its own; else it is tried as whoever we are.
    """
    hidden = _hidden(door, client)
    if hidden:
        return hidden
    return _in_a_child(door, client)


def is_open_to_all(door: Door) -> bool:
    """Whether any user of this host may connect to a unix socket."""
    path = Path(door.address.path)
    try:
        return bool(door.address.path) and all(
            each.stat().st_mode & (stat.S_IWOTH if each == path else stat.S_IXOTH)
            for each in (path, *path.parents)
        )
    except OSError:
        return False


def _hidden(door: Door, client: Client) -> str:
    path = door.address.path
    if client.is_chrooted and path and not Path(path).is_relative_to(client.queue_directory):
        return (
            f"smtpd is chrooted to {client.queue_directory} and can't see {path}: have the socket "
            f'in there, as in address = "unix:{client.queue_directory}/private/maysend-'
            f'{door.kind}", or write "n" in the chroot column of master.cf'
        )
    return ""


def _in_a_child(door: Door, client: Client) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        text = "the trial itself failed"
        try:
            text = _tried(door, client)
        finally:
            os.write(writing, text.encode("utf-8", "replace")[:4096])
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return text


def _tried(door: Door, client: Client) -> str:
    if os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(client.user)
        except KeyError:
            return f"there is no user {client.user}, the mail_owner of main.cf"
        os.chdir(client.queue_directory)
        os.initgroups(client.user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    address = door.address
    try:
        with _connected(address) as connection:
            return _asked(door, connection)
    except PermissionError:
        return _closed(address.path)
    except FileNotFoundError:
        return f"there is no {address.path}: is `maysend serve` running?"
    except ConnectionRefusedError:
        return f"nobody listens on {address}: is `maysend serve` running?"
    except TimeoutError:
        return f"no answer from {address} within {PATIENCE:g} s"
    except OSError as problem:
        return f"{address}: {problem.strerror or problem}"


def _connected(address: Address) -> socket.socket:
    if not address.path:
        host = "127.0.0.1" if address.host in ANY_HOST else address.host
        return socket.create_connection((host, address.port), PATIENCE)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    try:
        connection.connect(address.path)
    except BaseException:
        connection.close()
        raise
    return connection


def _asked(door: Door, connection: socket.socket) -> str:
    expected = _ANSWERS.get(door.kind)
    if expected is None:
        return ""  # a milter is told of mail at once, so it is left at the connection
    connection.sendall(_QUESTIONS[door.kind])
    said = b""
    while expected not in said:
        octets = connection.recv(4096)
        if not octets:
            return f"{door.address} is no {door.kind} listener: it closed the connection"
        said += octets
    return ""


def _closed(path: str) -> str:
    """Which folder or socket of `path` is closed to this process's user."""
    user = _user(os.geteuid())
    for folder in reversed(Path(path).parents):
        status = folder.stat()
        if not _may(status, os.X_OK):
            return f"user {user} may not enter {_described(folder, status)}"
    status = os.stat(path)
    return (
        f"user {user} may not connect to {_described(Path(path), status)}: "
        f'set group = "{_group(os.getegid())}" for the listener'
    )


def _may(status: os.stat_result, access: int) -> bool:
    """Whether this process may; the first of owner, group and others that it is counts."""
    is_owner = status.st_uid == os.geteuid()
    is_member = status.st_gid in (os.getegid(), *os.getgroups())
    return bool(status.st_mode >> (6 if is_owner else 3 if is_member else 0) & access)


def _described(path: Path, status: os.stat_result) -> str:
    return (
        f"{path} ({stat.filemode(status.st_mode)} {_user(status.st_uid)}:{_group(status.st_gid)})"
    )


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
