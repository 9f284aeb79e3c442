"""What `maysend demo` prints, and its life from start to Ctrl-C."""

import asyncio
import shutil
import signal
import sys
import tempfile
import textwrap
from pathlib import Path

import click
import uvloop

from maysend.demo.examples import (
    EXAMPLES,
    Example,
    curl_command,
    explain_command,
    send,
    swaks_command,
)
from maysend.demo.site import ADMIN, ALICE, BOB, MALLORY, PASSWORD, SHARED, Site
from maysend.servers.sink import SunkMessage

WIDTH = 80

ACCOUNTS = (
    (ALICE, "a plain user"),
    (BOB, f"owns the alias {SHARED} and his +tags"),
    (ADMIN, "may send as anyone @example.com"),
    (MALLORY, "is suspended"),
)


def run(port: int | None, sink_port: int, *, check: bool) -> int:
    """Run the demo until a signal ends it, or only its check. Raises OSError for a taken port."""
    with (
        tempfile.TemporaryDirectory(prefix="maysend-demo-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_run(Path(folder), port, sink_port, check=check))


async def _run(folder: Path, port: int | None, sink_port: int, *, check: bool) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    site = Site(folder, _ignore if check else show_line, None if check else show_arrival)
    await site.start(port, sink_port)
    try:
        if check:
            return await _check(site, stopped)
        click.echo(introduction(site))
        await stopped.wait()
        click.echo("\nmaysend demo: stopping")
        return 0
    finally:
        await site.stop()


# -- what to try -----------------------------------------------------------------------------------


def introduction(site: Site) -> str:
    """The accounts, and for each example the commands to copy."""
    lines = [
        click.style(f"The gateway listens on 127.0.0.1, port {site.port}", bold=True) + ".",
        f"Its next hop is a sink on port {site.sink.port}, which takes everything.",
        f"Accounts, all with the password {PASSWORD!r}:",
        *(f"  {login:<20} {what}" for login, what in ACCOUNTS),
        "",
        "Try in another terminal, with curl or with swaks (which needs Perl's Net::SSLeay",
        "for TLS); `explain` says why:",
    ]
    for number, example in enumerate(EXAMPLES, 1):
        lines += ["", click.style(f"{number}. {example.title}", bold=True)]
        lines += [f"    {command}" for command in _commands(example, site)]
    lines += ["", "What happens is shown here. Ctrl-C ends it.", ""]
    return "\n".join(lines)


def _commands(example: Example, site: Site) -> list[str]:
    return [
        curl_command(example, site.port, site.certificate, site.message),
        swaks_command(example, site.port),
        explain_command(example, program(), site.config),
    ]


def program() -> str:
    """How this program is called from a shell: by name where that finds it."""
    if shutil.which("maysend"):
        return "maysend"
    path = Path(sys.argv[0]).absolute()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


# -- what happens ----------------------------------------------------------------------------------


def show_line(line: str) -> None:
    """Show a log line of the gateway: refusals red, the rest green, only in a terminal."""
    colour = "red" if "reject:" in line or "warning:" in line or "error:" in line else "green"
    _show(line, colour)


def show_arrival(message: SunkMessage) -> None:
    """Show what reached the sink."""
    to = ", ".join(f"<{recipient}>" for recipient in message.recipients)
    _show(f"sink: took {message.octets} octets from <{message.sender}> to {to}", "cyan")


def _show(line: str, colour: str) -> None:
    wrapped = textwrap.fill(
        line, WIDTH - 1, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    click.secho(wrapped, fg=colour)


def _ignore(_line: str) -> None:
    pass


# -- the check -------------------------------------------------------------------------------------


async def _check(site: Site, stopped: asyncio.Event) -> int:
    """Send every example; 0 when each got the reply that it should."""
    as_wanted = True
    for example in EXAMPLES:
        if stopped.is_set():
            return 1
        code, text = await asyncio.to_thread(send, example, site.port, site.certificate)
        as_wanted = as_wanted and code == example.code
        click.secho(example.title, bold=True)
        _show(f"    {code} {text}", "green" if code < 400 else "red")
    delivered = len(site.sink.messages)
    click.echo(f"The sink took {delivered} message{'' if delivered == 1 else 's'}.")
    return 0 if as_wanted and delivered == 1 else 1
