"""A server in a thread of the test: reads requests, answers what a function says."""

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Answer = Callable[[bytes], bytes | None]
"""The octets to send for a request; None closes the connection."""


class StreamServer:
    """Listens on a path, or on a port of 127.0.0.1; `read` takes one request off a connection.

    With `stop` and `start` it is a server that goes away and comes back at the same place.
    """

    def __init__(
        self, read: Callable[[BinaryIO], bytes], answer: Answer, path: Path | None = None
    ) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.connections = 0
        self.path = path
        self.port = 0
        self._read = read
        self._clients: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.start()

    def __enter__(self) -> "StreamServer":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen where it listened before."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self.path))
        else:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
            self.port = listener.getsockname()[1]
        listener.listen(50)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Close the listening socket and all connections."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.disconnect()

    def disconnect(self) -> None:
        """Close all connections, and go on listening."""
        clients, self._clients = self._clients, []
        for client in clients:
            _shut(client)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as stream:
            try:
                while request := self._read(stream):
                    self.requests.append(request)
                    reply = self.answer(request)
                    if reply is None:
                        return
                    client.sendall(reply)
            except (OSError, ValueError):
                return
            finally:
                _shut(client)


def _shut(client: socket.socket) -> None:
    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already
