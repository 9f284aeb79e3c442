"""A private Postfix under its own master(8), on a TCP port: for clients and load as they are.

`LivePostfix` is quicker and driven through XCLIENT; this one is what an administrator would run.
Nothing of the system's own Postfix is read or touched. Needs root.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

LONGEST_LIFE = "900"
"""Seconds after which master(8) ends by itself, should nobody stop it."""
MASTER = "/usr/lib/postfix/sbin/master"
SERVICES = """\
{port} inet n - n - 100 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
smtp unix - - n - - smtp
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""
PARAMETERS = {
    "compatibility_level": "3.6",
    "myhostname": "mail.example.com",
    "mydestination": "",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "alias_maps": "",
    "mynetworks": "127.0.0.0/8",
    "smtpd_peername_lookup": "no",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "default_transport": "discard:",
    "relay_transport": "discard:",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_error_sleep_time": "0",
    "in_flow_delay": "0",
}


@contextmanager
def real_postfix(parameters: Mapping[str, str]) -> Iterator["RealPostfix"]:
    """A running one; its mail is thrown away."""
    with tempfile.TemporaryDirectory(prefix="maysend-real-postfix-") as name:
        root = Path(name)
        root.chmod(0o755)
        postfix = RealPostfix(root)
        postfix.start(parameters)
        try:
            yield postfix
        finally:
            postfix.stop()


class RealPostfix:
    """Its port, its directories, its log."""

    def __init__(self, root: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.directory = root / "config"
        self.queue = root / "queue"
        self.log_file = root / "log" / "mail.log"
        self._root = root
        self._master: subprocess.Popen[bytes] | None = None
        owner = pwd.getpwnam("postfix")
        for folder in (self.directory, self.queue, root / "data", self.log_file.parent):
            folder.mkdir()
        os.chown(root / "data", owner.pw_uid, owner.pw_gid)

    @property
    def log(self) -> str:
        """What its daemons have logged."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    @property
    def process_id(self) -> int:
        """Of its master."""
        assert self._master is not None
        return self._master.pid

    def start(
        self,
        parameters: Mapping[str, str],
        *,
        main_cf: str = "",
        options: str = "",
        is_chrooted: bool = False,
    ) -> None:
        """Start with these parameters; after `stop` again with others.

        `main_cf` are more lines of it, `options` lines of master.cf below smtpd's.
        """
        settings = {
            **PARAMETERS,
            "queue_directory": str(self.queue),
            "data_directory": str(self._root / "data"),
            "maillog_file": str(self.log_file),
            "maillog_file_prefixes": str(self._root),
            **parameters,
        }
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (self.directory / "main.cf").write_text(lines + main_cf)
        smtpd, others = SERVICES.format(port=f"127.0.0.1:{self.port}").split("\n", 1)
        if is_chrooted:
            smtpd = smtpd.replace(" n - n ", " n - y ")
        (self.directory / "master.cf").write_text(f"{smtpd}\n{options}{others}")
        check = ["postfix", "-c", str(self.directory), "check"]
        subprocess.run(check, check=True, capture_output=True, timeout=60)
        self._master = subprocess.Popen(
            [MASTER, "-c", str(self.directory), "-d", "-e", LONGEST_LIFE],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_for_greeting()

    def stop(self) -> None:
        """End its daemons; mail that is still queued is lost. May be called twice."""
        if self._master is None:
            return
        self._master.terminate()
        self._master.wait(20)
        self._master = None
        for name in ("incoming", "active", "deferred", "maildrop"):
            for path in (self.queue / name).iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def _wait_for_greeting(self) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
                    if connection.recv(100).startswith(b"220 "):
                        return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise RuntimeError(f"no greeting from Postfix: {self.log[-2000:]}")
            time.sleep(0.05)
