"""The directory as a socketmap server, for the lookup tables of Postfix (socketmap_table(5))."""

from maysend.servers.socketmap.service import SocketmapService

__all__ = ["SocketmapService"]
