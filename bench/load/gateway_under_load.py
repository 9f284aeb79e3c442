"""The gateway as a process of its own, with a directory of many accounts: prints its port.

python gateway_under_load.py FOLDER NEXT_HOP_PORT ACCOUNTS PASSWORD [PROFILE_FILE]
"""

import asyncio
import cProfile
import signal
import sys
from pathlib import Path

import uvloop

from maysend.directory import Directory
from maysend.policy import Policy
from maysend.servers.processes.worker import settle
from maysend.servers.submission import Gateway, GatewaySettings, NextHop, directory_logins


def fill(directory: Directory, accounts: int, password: str) -> None:
    """Add accounts, unless an earlier run did."""
    if directory.accounts.find("user0@example.com") is None:
        for number in range(accounts):
            login = f"user{number}@example.com"
            directory.accounts.add(login, password_hash="{PLAIN}" + password)


async def serve(folder: Path, next_hop_port: int, accounts: int, password: str) -> None:
    """Run until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    with (
        Directory.open(folder / "directory.db") as directory,
        (folder / "log").open("w", buffering=1 << 16) as log,
    ):
        fill(directory, accounts, password)
        settings = GatewaySettings(
            hostname="gateway.example",
            next_hops=(NextHop("127.0.0.1", next_hop_port),),
            port=0,
            tls_auth_only=False,
        )
        policy = Policy.builtin(directory.table_types())
        gateway = Gateway(
            settings, policy, directory_logins(directory), lambda line: print(line, file=log)
        )
        await gateway.start()
        settle()  # as the workers of `maysend serve` do
        print(gateway.port, flush=True)
        await stopped.wait()
        await gateway.stop()


def main() -> None:
    """Serve, under a profiler where a file for it is named."""
    folder, port, accounts, password, *profile = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        serving = serve(Path(folder), int(port), int(accounts), password)
        if not profile:
            runner.run(serving)
            return
        profiler = cProfile.Profile()
        profiler.runcall(runner.run, serving)
        profiler.dump_stats(profile[0])


if __name__ == "__main__":
    main()
