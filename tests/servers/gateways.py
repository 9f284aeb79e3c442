"""What the gateway's tests run against: a gateway with a small policy, and scripted next hops."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from maysend.policy import Policy
from maysend.servers.sink import Sink
from maysend.servers.submission import (
    Gateway,
    GatewaySettings,
    Limits,
    Logins,
    NextHop,
    PasswordLogins,
    Timeouts,
)
from tests.servers.conftest import LoopThread

LOGINS = {"bob@example.com": "secret", "eve@example.com": "secret"}
POLICY = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sender_login_maps": "inline:{bob@example.com=bob@example.com}",
    "smtpd_sender_restrictions": "reject_sender_login_mismatch",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, permit_mynetworks, reject",
    "smtpd_recipient_restrictions": "",
    "smtpd_reject_unlisted_recipient": "no",
    "mynetworks": "127.0.0.0/8",
    "mydestination": "",
}
QUICK = Timeouts(
    smtpd_timeout=20,
    smtpd_error_sleep_time=0.01,
    broken_message_idle=0.5,
    next_hop_connect=5,
    next_hop_greeting=5,
    next_hop_command=5,
    next_hop_data=5,
    next_hop_block=5,
    next_hop_final=5,
    probe_interval=60,
    shutdown_grace=5,
)


def check_password(login: str, password: str) -> str | None:
    return login if LOGINS.get(login) == password else None


class Running:
    """A started gateway: its port, its sink's messages, its log."""

    def __init__(self, thread: LoopThread, gateway: Gateway, sink: Sink, log: list[str]) -> None:
        self.thread = thread
        self.gateway = gateway
        self.sink = sink
        self.log = log
        self.port = gateway.port

    def connect(self, timeout: float = 20) -> "Client":
        return Client(self.port, timeout)


@contextmanager
def running(
    thread: LoopThread,
    *,
    policy: dict[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    next_hop_port: int | None = None,
    next_hops: tuple[NextHop, ...] | None = None,
    keywords: tuple[str, ...] | None = None,
    authenticate: Callable[[str, str], str | None] = check_password,
    logins: Callable[[], Logins] | None = None,
    limits: Limits | None = None,
    timeouts: Timeouts = QUICK,
    **settings: Any,
) -> Iterator[Running]:
    """A gateway without TLS unless `tls`, where 127.0.0.1 may send and bob@example.com is bob's."""
    sink = Sink() if keywords is None else Sink(keywords=keywords)
    log: list[str] = []
    thread.run(sink.start())
    port = sink.port if next_hop_port is None else next_hop_port
    made = logins() if logins else PasswordLogins(authenticate, log=log.append)
    gateway = Gateway(
        GatewaySettings(
            hostname="gateway.example",
            next_hops=next_hops or (NextHop("127.0.0.1", port),),
            port=0,
            tls=tls,
            limits=limits or Limits(),
            timeouts=timeouts,
            **settings,
        ),
        Policy.from_parameters(POLICY | (policy or {})),
        made,
        log.append,
    )
    thread.run(gateway.start())
    try:
        yield Running(thread, gateway, sink, log)
    finally:
        thread.run(gateway.stop())
        thread.run(sink.stop())


class Client:
    """A client that sends exactly the octets it is told to."""

    def __init__(self, port: int, timeout: float = 20) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._input = b""
        self.greeting = self.reply()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> str:
        """The next reply; "" when the connection was closed."""
        lines = []
        while True:
            while b"\r\n" not in self._input:
                octets = self.socket.recv(65536)
                if not octets:
                    return ""
                self._input += octets
            line, _, self._input = self._input.partition(b"\r\n")
            lines.append(line.decode())
            if line[3:4] != b"-":
                return "\n".join(lines)

    def command(self, line: str) -> str:
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def start_tls(self, context: ssl.SSLContext) -> None:
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def begin(self, sender: str = "carol@example.org", recipient: str = "x@example.net") -> None:
        """EHLO to DATA; the message comes next."""
        assert self.command("EHLO client.example").startswith("250")
        assert self.command(f"MAIL FROM:<{sender}>").startswith("250 ")
        assert self.command(f"RCPT TO:<{recipient}>").startswith("250 ")
        assert self.command("DATA").startswith("354 ")

    def message(self, octets: bytes) -> str:
        self.begin()
        self.send(octets)
        return self.reply()


class NextHopScript:
    """A next hop of which `serve(socket)` is all: for what a well-behaved server never does."""

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(20)
            with suppress(OSError):
                self._serve(connection)

    def close(self) -> None:
        self._listener.close()


def converse(
    connection: socket.socket, answers: dict[bytes, bytes], until: bytes = b"DATA"
) -> bytes:
    """Answer commands by their first word (250 where none is given) up to and with `until`."""
    reader = connection.makefile("rb", buffering=0)
    connection.sendall(b"220 next hop\r\n")
    usual = {b"EHLO": b"250-x\r\n250-SIZE\r\n250 8BITMIME\r\n", b"DATA": b"354 go\r\n"}
    for line in reader:
        verb = line[:4].upper()
        connection.sendall(answers.get(verb) or usual.get(verb) or b"250 2.0.0 Ok\r\n")
        if verb == until:
            return line
    return b""
