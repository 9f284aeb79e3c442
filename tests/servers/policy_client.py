"""A client of the policy delegation protocol that sends exactly what it is told to."""

import socket
from pathlib import Path


class PolicyClient:
    def __init__(self, path: Path | str, timeout: float = 20) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self._input = b""

    def __enter__(self) -> "PolicyClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, **attributes: str) -> str:
        """The action, "" where the server closed the connection."""
        self.socket.sendall(request(**attributes))
        return self.answer()

    def answer(self) -> str:
        while b"\n\n" not in self._input:
            octets = self.socket.recv(65536)
            if not octets:
                return ""
            self._input += octets
        answer, _, self._input = self._input.partition(b"\n\n")
        assert answer.startswith(b"action="), answer
        return answer.removeprefix(b"action=").decode("utf-8", "surrogateescape")


def request(**attributes: str) -> bytes:
    usual = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "size": "0"}
    lines = "".join(f"{name}={value}\n" for name, value in (usual | attributes).items())
    return lines.encode("utf-8", "surrogateescape") + b"\n"
