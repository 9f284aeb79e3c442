"""What a listener is to the process that runs it."""

import socket
from typing import Protocol


class Listener(Protocol):
    """One listener of one worker process.

    It gets a socket that is bound and listening already: that was opened before the workers were
    started, so that it outlives each of them, or by systemd.
    """

    async def start(self, sock: socket.socket) -> None:
        """Accept connections from `sock`. Raises OSError where that can't be."""
        ...

    async def stop(self, grace: float) -> None:
        """Accept nothing more; what is under way may end within `grace` seconds."""
        ...
