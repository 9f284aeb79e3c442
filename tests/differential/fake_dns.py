"""A name server of our own, in a network namespace of its own, for a private Postfix.

Run as a program it enters new namespaces, puts the loopback interface up, its own resolv.conf in
the place of the system's, and answers on 127.0.0.1:53 what the zone says that it is given on
standard input: a line with its number of octets, then the zone. It answers "ready" when it serves
that zone, and ends when its input ends. What a zone is: `maysend.dns.zone`.
"""

import ctypes
import fcntl
import os
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from maysend.dns import Zone
from maysend.dns.answer import Answer

if TYPE_CHECKING:
    from dns.message import Message

RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"
HOSTS = "127.0.0.1 localhost\n::1 localhost\n"
ADDRESS = ("127.0.0.1", 53)
NAMESPACES = 0x00020000 | 0x40000000  # CLONE_NEWNS | CLONE_NEWNET (sched.h)
PRIVATE = 0x4000 | (1 << 18)  # MS_REC | MS_PRIVATE (mount(2))
BIND = 0x1000
READY = b"ready\n"


class FakeDns:
    """The server as its user sees it: start it, give it zones, run programs beside it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.differential.fake_dns"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )
        self.serve("")

    @property
    def within(self) -> Sequence[str]:
        """What to put before a command line so that it runs where this server is the only one."""
        return ["nsenter", "-m", "-n", "-t", str(self._process.pid)]

    def serve(self, zone: str) -> None:
        """Answer from this zone from now on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        octets = zone.encode()
        self._process.stdin.write(b"%d\n%s" % (len(octets), octets))
        self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if reply != READY:
            raise RuntimeError(f"the name server did not start: {reply!r}")

    def close(self) -> None:
        """End the server. May be called twice."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._process.stdin.closed:
            return
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def main() -> None:
    """Serve until standard input ends."""
    _enter_namespaces()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        selectors.DefaultSelector() as selector,
    ):
        udp.bind(ADDRESS)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind(ADDRESS)
        tcp.listen(16)
        for source in (0, udp, tcp):
            selector.register(source, selectors.EVENT_READ)
        zone = Zone("")
        while True:
            for key, _ in selector.select():
                if key.fileobj == 0:
                    header = _line(0)
                    if not header:
                        return
                    zone = Zone(_exactly(0, int(header)).decode())
                    os.write(1, READY)
                elif key.fileobj is udp:
                    question, client = udp.recvfrom(4096)
                    reply = reply_to(zone, question, limit=1232)
                    if reply is not None:
                        udp.sendto(reply, client)
                else:
                    _serve_stream(tcp, zone)


def _serve_stream(tcp: socket.socket, zone: Zone) -> None:
    connection, _ = tcp.accept()
    with connection:
        connection.settimeout(2)
        (length,) = struct.unpack("!H", _exactly(connection.fileno(), 2))
        reply = reply_to(zone, _exactly(connection.fileno(), length), limit=65535)
        if reply is not None:
            connection.sendall(struct.pack("!H", len(reply)) + reply)


def reply_to(zone: Zone, octets: bytes, limit: int) -> bytes | None:
    """The reply to one question as a recursive server gives it; None is none at all."""
    from dns import flags, message, rcode

    question = message.from_wire(octets)
    asked = question.question[0]
    name = asked.name.to_text(omit_final_dot=True)
    reply = message.make_response(question, recursion_available=True)
    names, answer = zone.resolve(name, asked.rdtype.name)
    if answer.reason == "TIMEOUT":
        return None
    if answer.status == "failed":
        reply.set_rcode(rcode.SERVFAIL)
        return reply.to_wire()
    if answer.status == "nxdomain":
        reply.set_rcode(rcode.NXDOMAIN)
    _add_records(reply, [name, *names[1:]], answer)
    wire = reply.to_wire(max_size=65535)
    if len(wire) <= limit:
        return wire
    truncated = message.make_response(question, recursion_available=True)
    truncated.flags |= flags.TC
    return truncated.to_wire()


def _add_records(reply: "Message", names: list[str], answer: Answer) -> None:
    from dns import rrset

    for alias, target in pairwise(names):
        reply.answer.append(rrset.from_text(f"{alias}.", 3600, "IN", "CNAME", f"{target}."))
    for record in answer.records:
        data = str(record)
        if record.type == "TXT":
            octets = data.encode("utf-8", "surrogateescape")
            data = '"' + "".join(f"\\{octet:03}" for octet in octets) + '"'
        elif record.type in ("MX", "NS"):
            data = data.removesuffix(".") + "."
        reply.answer.append(rrset.from_text(f"{names[-1]}.", record.ttl, "IN", record.type, data))


def _enter_namespaces() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(NAMESPACES))
    _checked(libc.mount(b"none", b"/", None, PRIVATE, None))
    for path, text in (("/etc/resolv.conf", RESOLV_CONF), ("/etc/hosts", HOSTS)):
        with tempfile.NamedTemporaryFile("w", suffix=".maysend") as file:
            file.write(text)
            file.flush()
            os.chmod(file.name, 0o644)
            _checked(libc.mount(file.name.encode(), path.encode(), None, BIND, None))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(control, 0x8914, request)  # SIOCSIFFLAGS
    time.sleep(0.02)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _line(descriptor: int) -> bytes:
    octets = b""
    while not octets.endswith(b"\n"):
        octet = os.read(descriptor, 1)
        if not octet:
            return b""
        octets += octet
    return octets


def _exactly(descriptor: int, length: int) -> bytes:
    octets = b""
    while len(octets) < length:
        part = os.read(descriptor, length - len(octets))
        if not part:
            raise EOFError
        octets += part
    return octets


if __name__ == "__main__":
    main()
