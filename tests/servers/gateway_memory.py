"""Many clients at once send big messages through a gateway process; how much memory it took."""

import asyncio
import ssl
import subprocess
import sys
from pathlib import Path

import uvloop

SLOWNESS = 0.002
"""Seconds that the slow next hop rests after each read."""

SLICE = (b"0123456789abcdef" * 4)[:62] + b"\r\n"


class SlowNextHop:
    """Takes messages and counts them; reads slowly, so that the gateway has to hold back."""

    def __init__(self) -> None:
        self.taken = 0
        self.octets = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 slow\r\n")
        while line := await reader.readline():
            if line.upper().startswith(b"EHLO"):
                writer.write(b"250-slow\r\n250-PIPELINING\r\n250 SIZE\r\n")
            elif line.upper().startswith(b"DATA"):
                writer.write(b"354 go\r\n")
                await self._message(reader)
                writer.write(b"250 2.0.0 taken\r\n")
            else:
                writer.write(b"250 2.0.0 Ok\r\n")
        writer.close()

    async def _message(self, reader: asyncio.StreamReader) -> None:
        tail = b""
        while not tail.endswith(b"\r\n.\r\n"):
            octets = await reader.read(65536)
            if not octets:
                return
            self.octets += len(octets)
            tail = (tail + octets)[-5:]
            await asyncio.sleep(SLOWNESS)
        self.taken += 1


async def send_one(port: int, size: int, tls: ssl.SSLContext | None) -> str:
    """One client with one message of about `size` octets; the reply to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readline()
    if tls is not None:
        writer.write(b"EHLO x\r\n")
        while (await reader.readline())[3:4] == b"-":
            pass
        writer.write(b"STARTTLS\r\n")
        await reader.readline()
        await writer.start_tls(tls, server_hostname="localhost")
    writer.write(b"HELO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n")
    for _ in range(4):
        await reader.readline()
    writer.write(b"Subject: big\r\n\r\n")
    block = SLICE * 1024
    for _ in range(size // len(block)):
        writer.write(block)
        await writer.drain()
    writer.write(b".\r\n")
    reply = (await reader.readline()).decode()
    writer.close()
    return reply


def peak_memory_mb(pid: int) -> float:
    """VmHWM of a process, in MB of 10^6 octets."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmHWM in /proc")


async def _measure(clients: int, size: int, pem_file: Path, encrypted: bool) -> float:
    next_hop = SlowNextHop()
    server = await asyncio.start_server(next_hop.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gateway = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.gateway_process", str(port), str(pem_file)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert gateway.stdout is not None
        gateway_port = int(await asyncio.to_thread(gateway.stdout.readline))
        tls = ssl.create_default_context(cafile=str(pem_file)) if encrypted else None
        replies = await asyncio.gather(*(send_one(gateway_port, size, tls) for _ in range(clients)))
        assert all(reply.startswith("250 ") for reply in replies), set(replies)
        assert next_hop.taken == clients
        assert next_hop.octets > clients * size * 0.9
        return peak_memory_mb(gateway.pid)
    finally:
        gateway.terminate()
        gateway.wait(30)
        server.close()


def gateway_memory_mb(clients: int, size: int, pem_file: Path, *, encrypted: bool) -> float:
    """The most resident memory (MB) that a gateway took for `clients` messages of `size` octets."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(clients, size, pem_file, encrypted))
