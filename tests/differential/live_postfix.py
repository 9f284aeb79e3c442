"""A private Postfix to ask: real daemons, own directories, no port, no DNS, driven by XCLIENT.

    restrictions = "check_sender_access texthash:$config_directory/senders"
    with LivePostfix({"smtpd_sender_restrictions": restrictions},
                     {"senders": "example.org REJECT"}) as postfix:
        with postfix.session(client_address="192.0.2.7", helo="client.example") as smtp:
            smtp.command("MAIL FROM:<a@example.org>")      # "250 2.1.0 Ok"
            smtp.command("RCPT TO:<bob@example.com>")      # "554 5.7.1 <a@example.org>: Sender …"

Any number may run at once; nothing of the system's own Postfix is read or touched. Needs root, as
Postfix's daemons start as root and drop to `mail_owner`.
"""

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from maysend.cases import Case
from maysend.cases.case import BASE_PARAMETERS
from maysend.dns import Resolver, Zone
from tests.differential.private_master import PrivateMaster, Service, make_queue

PRIVATE_PARAMETERS: dict[str, str] = {
    "inet_protocols": "all",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
    "smtpd_peername_lookup": "no",
    "smtp_dns_support_level": "disabled",
    "maillog_file": "/var/log/maysend-private-postfix.log",  # never written: see PrivateMaster
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_client_message_rate_limit": "0",
    "smtpd_client_recipient_rate_limit": "0",
    "smtpd_client_new_tls_session_rate_limit": "0",
    "smtpd_client_auth_rate_limit": "0",
    "smtpd_error_sleep_time": "0",
    "smtpd_soft_error_limit": "10000",
    "smtpd_hard_error_limit": "20000",
    "smtpd_junk_command_limit": "100000",
    "smtpd_timeout": "30s",
    "ipc_timeout": "10s",
    "in_flow_delay": "0s",
    "notify_classes": "",
    "max_use": "100000",
}
"""What keeps the instance private, quiet and quick; decides nothing about who may send."""

INDEXED = re.compile(r"\b(hash|btree|lmdb|cdb):\$config_directory/(\w+)")
ACTION = re.compile(
    r"(?:NOQUEUE|[0-9A-F]{5,}): (warn|info|discard|filter|hold|redirect|bcc): [A-Z]+ from "
)
PREFIX = "maysend-postfix-"
READ_TIMEOUT = 20.0
"""Seconds. Far above anything Postfix needs; a test never waits for ever."""


class LivePostfixError(Exception):
    """The instance did not answer: what its daemons logged says why."""


class Smtp:
    """One SMTP connection to the private smtpd; text is UTF-8 with surrogateescape."""

    def __init__(self, connection: socket.socket, master: PrivateMaster) -> None:
        self._connection = connection
        self._master = master
        self._input = connection.makefile("rb")
        self.closed = False
        self.helo_reply = ""
        self.greeting = ""
        """What smtpd said when the client that XCLIENT named connected."""

    def command(self, line: str) -> str:
        """Send one command line, return the reply; lines of a long reply are joined by newlines."""
        self.send(line.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.reply()

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        try:
            self._connection.sendall(octets)
        except OSError as error:
            self._fail(str(error))

    def reply(self) -> str:
        """Read one reply."""
        lines: list[str] = []
        while True:
            try:
                octets = self._input.readline()
            except OSError as error:
                self._fail(str(error))
            if not octets:
                self._fail("the connection was closed")
            line = octets.decode("utf-8", "surrogateescape").rstrip("\r\n")
            lines.append(line)
            if line[3:4] != "-":
                break
        self.closed = lines[-1].startswith(("421", "521"))
        return "\n".join(lines)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """STARTTLS; from here on everything is encrypted."""
        reply = self.command("STARTTLS")
        if not reply.startswith("220"):
            raise LivePostfixError(reply)
        self._input.close()
        self._connection = context.wrap_socket(self._connection)
        self._input = self._connection.makefile("rb")

    def close(self) -> None:
        """Close the connection."""
        self._input.close()
        self._connection.close()

    def _fail(self, what: str) -> None:
        self.closed = True
        self._master.wait_for_failure(1.0)
        why = self._master.failed or " | ".join(list(self._master.log)[-3:]) or "nothing was logged"
        raise LivePostfixError(f"{what}: {why}")


class LivePostfix:
    """A Postfix of its own. `parameters` are main.cf's, `files` go beside it by name."""

    resolver: Resolver = Zone("")
    """What its name server knows: nothing, as there is none."""

    def __init__(
        self,
        parameters: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
        *,
        service_options: Sequence[str] = (),
        within: Sequence[str] = (),
    ) -> None:
        _remove_abandoned()
        self._root = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_parent()))
        self._mark = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._mark, fcntl.LOCK_EX)
            self._root.chmod(0o755)
            self.directory = self._root / "config"
            self.queue = self._root / "queue"
            self._data = self._root / "data"
            owner = pwd.getpwnam("postfix")
            self.directory.mkdir()
            self._data.mkdir()
            os.chown(self._data, owner.pw_uid, owner.pw_gid)
            make_queue(self.queue)
            self._write(parameters or {}, files or {})
            options = [part for option in service_options for part in ("-o", option)]
            self._master = PrivateMaster(
                self.directory,
                self.queue,
                [
                    Service("private/smtpd", "smtpd", options),
                    Service("private/rewrite", "trivial-rewrite"),
                    Service("private/proxymap", "proxymap"),
                    Service("private/verify", "verify", ["-l"]),
                    Service("private/tlsmgr", "tlsmgr", ["-l"]),
                    Service("public/cleanup", "cleanup", ["-z"]),
                ],
                within,
            )
        except BaseException:
            shutil.rmtree(self._root, ignore_errors=True)
            os.close(self._mark)
            raise

    def __enter__(self) -> "LivePostfix":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End its daemons and remove its directories. May be called twice."""
        if self._mark < 0:
            return
        self._master.stop()
        shutil.rmtree(self._root, ignore_errors=True)
        os.close(self._mark)
        self._mark = -1

    def configure(
        self, parameters: Mapping[str, str], files: Mapping[str, str] | None = None
    ) -> None:
        """Replace main.cf and the files beside it; the next session sees only the new ones."""
        self._master.restart()
        shutil.rmtree(self.directory)
        self.directory.mkdir()
        self._write(parameters, files or {})

    def adopt(self, case: Case) -> None:
        """Become the Postfix that a case is about."""
        self.configure(case.main_cf, case.files)

    def remember_verified(self, entries: str) -> None:
        """Fill the cache of verify(8), $address_verify_map: lines of address and entry."""
        cache = self._data / "verify_cache"
        cache.write_text(entries)
        postmap = ["postmap", "-c", str(self.directory), f"btree:{cache}"]
        subprocess.run(postmap, check=True, capture_output=True, timeout=READ_TIMEOUT)
        owner = pwd.getpwnam("postfix")
        for path in self._data.glob("verify_cache*"):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    @property
    def log(self) -> list[str]:
        """What the daemons logged since the last configure()."""
        return list(self._master.log)

    @property
    def actions(self) -> list[str]:
        """The access(5) actions other than answers that smtpd logged: "HOLD", "FILTER", …

        PREPEND is not logged.
        """
        found = (ACTION.search(line) for line in self._master.log)
        return [match[1].upper() for match in found if match is not None]

    @property
    def fatal(self) -> str:
        """Why a daemon died since the last configure(), or nothing."""
        return self._master.failed

    def processes(self, *programs: str) -> list[int]:
        """The process ids of those of its daemons that run now."""
        return self._master.processes(programs)

    @contextmanager
    def session(
        self,
        *,
        client_address: str = "192.0.2.7",
        client_name: str = "unknown",
        reverse_client_name: str = "",
        helo: str | None = None,
        login: str = "",
        protocol: str = "ESMTP",
    ) -> Iterator[Smtp]:
        """A connection as that client; `helo` None says no HELO, `client_name` may be one of
        XCLIENT's [UNAVAILABLE] and [TEMPUNAVAIL] ("unknown" is the former)."""
        smtp = self._connect()
        try:
            smtp.reply()  # greets 127.0.0.1, which is not whom the test is about
            name = "[UNAVAILABLE]" if client_name == "unknown" else client_name
            reverse = reverse_client_name or name
            if reverse == "unknown":
                reverse = "[UNAVAILABLE]"
            if ":" in client_address:
                client_address = f"IPV6:{client_address}"
            attributes = f"NAME={name} REVERSE_NAME={reverse} ADDR={client_address}"
            if login:
                attributes += f" LOGIN={xtext(login)}"
            smtp.greeting = smtp.command(f"XCLIENT {attributes}")
            if helo is not None and not smtp.closed:
                verb = "EHLO" if protocol == "ESMTP" else "HELO"
                smtp.helo_reply = smtp.command(f"{verb} {helo}")
            yield smtp
        finally:
            smtp.close()

    def _connect(self) -> Smtp:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(READ_TIMEOUT)
        connection.connect(str(self.queue / "private/smtpd"))
        return Smtp(connection, self._master)

    def _write(self, parameters: Mapping[str, str], files: Mapping[str, str]) -> None:
        settings = {
            "queue_directory": str(self.queue),
            "data_directory": str(self._data),
            **PRIVATE_PARAMETERS,
            **BASE_PARAMETERS,
            **parameters,
        }
        main_cf = "".join(f"{name} = {_one_line(value)}\n" for name, value in settings.items())
        indexed = set(INDEXED.findall(main_cf))
        for name, text in {"master.cf": "", **files, "main.cf": main_cf}.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
            os.utime(path, (1e9, 1e9))  # Postfix waits two seconds for a file that is still "hot"
        for kind, name in indexed:
            self._index(kind, name)

    def _index(self, kind: str, name: str) -> None:
        """Make a database file of a text file, as an administrator would."""
        postmap = ["postmap", "-c", str(self.directory), f"{kind}:{self.directory / name}"]
        subprocess.run(postmap, check=False, capture_output=True, timeout=READ_TIMEOUT)
        for path in self.directory.glob(f"{name}.*"):
            os.utime(path, (1e9, 1e9))


def xtext(text: str) -> str:
    """RFC 3461 4: the encoding of XCLIENT attribute values."""
    octets = text.encode("utf-8", "surrogateescape")
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}"
        for octet in octets
    )


def _parent() -> str:
    """Where instances live: in memory where that is possible, as cleanup calls fsync often."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else tempfile.gettempdir()


def _remove_abandoned() -> None:
    """Remove what a killed test run left: a living instance holds a lock on its directory."""
    for root in Path(_parent()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - root.stat().st_mtime < 60:
                continue  # perhaps between its mkdtemp and its lock
            mark = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(root, ignore_errors=True)
            finally:
                os.close(mark)


def _one_line(value: str) -> str:
    """A value as one logical line: what follows a newline is indented (postconf(5))."""
    return value.strip().replace("\n", "\n    ")
