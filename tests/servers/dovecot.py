"""A private Dovecot that only checks passwords: its auth socket, and the users it knows."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

CONFIGURATION = """
base_dir = {root}/run
state_dir = {root}/state
log_path = {root}/log
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_cache_size = 0
passdb {{
  driver = passwd-file
  args = username_format=%u {root}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service auth {{
  unix_listener {root}/auth {{
    mode = 0666
  }}
}}
# Or each failure from an address would make the next one wait longer.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
PATIENCE = 20.0
"""Seconds to start."""


class DovecotError(Exception):
    """It did not start; the text is what it logged."""


@contextmanager
def dovecot_auth(
    users: Mapping[str, str], mechanisms: Sequence[str] = ("plain", "login", "cram-md5")
) -> Iterator[Path]:
    """The path of an auth socket. `users`: login → `{SCHEME}value`."""
    with tempfile.TemporaryDirectory(prefix="maysend-dovecot-", dir="/tmp") as folder:
        root = Path(folder)
        root.chmod(0o755)
        configuration = root / "dovecot.conf"
        configuration.write_text(CONFIGURATION.format(root=root, mechanisms=" ".join(mechanisms)))
        lines = (f"{login}:{stored}\n" for login, stored in users.items())
        (root / "users").write_text("".join(lines))
        process = subprocess.Popen(
            ["dovecot", "-F", "-c", str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=(root / "said").open("wb"),
            start_new_session=True,
            env=os.environ | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
        try:
            _wait_for(root, process)
            yield root / "auth"
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
            # Its children wait for clients that are still connected.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _wait_for(root: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the server answers its greeting: the socket is there before the process behind it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(root / "auth"))
            if client.recv(1):
                return
        time.sleep(0.05)
    files = [root / "said", root / "log"]
    raise DovecotError("".join(file.read_text() for file in files if file.exists()))
