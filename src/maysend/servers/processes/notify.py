"""Tell systemd how it goes (sd_notify(3)): one datagram to the socket that it names."""

import socket


def notify(address: str, state: str) -> None:
    """Send `state`, "READY=1" and the like, to $NOTIFY_SOCKET; nothing where there is none."""
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # an abstract name (unix(7))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(state.encode(), address)
