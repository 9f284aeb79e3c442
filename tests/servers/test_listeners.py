"""What a listener lets in and for how long: connections, certificates, logins taken away."""

import shutil
import smtplib
import socket
import ssl
import threading
from pathlib import Path

import pytest

from maysend.directory import Directory
from maysend.servers.submission import (
    Limits,
    ServerTls,
    directory_logins,
)
from tests.servers.certificates import Authority
from tests.servers.conftest import LoopThread
from tests.servers.gateways import running


def test_too_many_from_one_address(loop_thread: LoopThread) -> None:
    limits = Limits(smtpd_client_connection_count_limit=2, smtpd_client_event_limit_exceptions=())
    with running(loop_thread, limits=limits) as gateway:
        clients = [gateway.connect() for _ in range(3)]
        assert clients[2].greeting == (
            "421 4.7.0 gateway.example Error: too many connections from 127.0.0.1"
        )
        for client in clients:
            client.command("QUIT") if client is not clients[2] else None
            client.socket.close()
        with gateway.connect() as client:
            assert client.greeting.startswith("220 ")
        counts = gateway.gateway.traffic.counts
        assert (counts.connections, counts.connections_refused) == (4, 1)


def test_a_new_certificate_without_a_restart(loop_thread: LoopThread, tmp_path: Path) -> None:
    """SIGHUP's path; a file that can't be used leaves the old one in place."""
    authority = Authority(tmp_path)
    first, key = authority.certificate("localhost")
    used = tmp_path / "used.pem", tmp_path / "used.key"
    shutil.copy(first, used[0])
    shutil.copy(key, used[1])
    tls = ServerTls(*used)
    trusting = ssl.create_default_context(cafile=str(authority.file))

    def serial(port: int) -> str:
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw_tls = trusting.wrap_socket(raw, server_hostname="localhost")
            return str((raw_tls.getpeercert() or {})["serialNumber"])

    with running(loop_thread, tls=tls.context, tls_wrapper=True) as gateway:
        before = serial(gateway.port)
        second, key = authority.certificate("localhost")
        shutil.copy(second, used[0])
        with pytest.raises(ssl.SSLError):
            loop_thread.call(tls.reload)
        assert serial(gateway.port) == before
        shutil.copy(key, used[1])
        loop_thread.call(tls.reload)
        assert serial(gateway.port) != before


def test_a_login_that_was_suspended_or_removed_meanwhile(
    loop_thread: LoopThread, tmp_path: Path
) -> None:
    """S5.4: refused at its next MAIL, the null sender too, in a session that was open already;
    S5.5: the reason in ASCII where SMTPUTF8 was not asked for."""
    with Directory.open(tmp_path / "directory.db") as directory:
        for login in ("bob@example.com", "eve@example.com", "joe@example.com"):
            directory.accounts.add(login, password_hash="{PLAIN}secret")
        with running(
            loop_thread, logins=lambda: directory_logins(directory), tls_auth_only=False
        ) as gateway:
            clients = []
            for login in ("bob@example.com", "eve@example.com", "joe@example.com"):
                client = smtplib.SMTP("127.0.0.1", gateway.port)
                client.login(login, "secret")
                assert client.docmd("MAIL FROM:<>")[0] == 250
                client.docmd("RSET")
                clients.append(client)
            directory.accounts.suspend("bob@example.com", "unpaid: 30 € für März")
            directory.accounts.remove("eve@example.com")
            threading.Event().wait(0.3)
            for sender in ("<>", "<bob@example.com>"):
                assert clients[0].docmd(f"MAIL FROM:{sender}") == (
                    554,
                    b"5.7.1 <bob@example.com>: SASL login name rejected: unpaid: 30 ? fur Marz",
                )
            utf8 = clients[0].docmd("MAIL FROM:<> SMTPUTF8")[1].decode()
            assert utf8.endswith("unpaid: 30 € für März")
            assert clients[1].docmd("MAIL FROM:<>")[0] == 554
            assert clients[2].docmd("MAIL FROM:<>")[0] == 250
            for client in clients:
                client.close()
