"""systemd units for `maysend serve`: the service, and a socket unit for each listener.

With the socket units systemd opens the sockets: connections wait in them while maysend is stopped
or started again, and maysend itself need not be root. Sources: systemd.service(5),
systemd.socket(5), systemd.exec(5), sd_listen_fds(3), sd_notify(3).
"""

from collections.abc import Iterator
from pathlib import Path

from maysend.servers.configuration import Configuration, ListenerSettings
from maysend.servers.processes.sockets import BACKLOG

EXTRA = 15
"""Seconds beyond `grace` until systemd ends what does not end by itself."""

SERVICE = """\
[Unit]
Description=maysend: may this login send as this sender?
Documentation=man:postfix(1)
After=network-online.target nss-lookup.target postgresql.service
Wants=network-online.target
Before=postfix.service

[Service]
# READY=1 comes when every worker serves; RELOADING=1 and READY=1 around a reload.
Type=notify
ExecStart={program} serve --config {file}
ExecReload=/bin/kill -HUP $MAINPID
# maysend tells its workers itself, and they may end what is under way.
KillMode=mixed
TimeoutStopSec={stop}
Restart=on-failure
RestartSec=1
# A configuration that can't be served will not be better the next time.
RestartPreventExitStatus=78
LimitNOFILE=65536
# What it never needs. Workers give up root where maysend.toml names a user.
NoNewPrivileges=yes
ProtectSystem=full
ReadWritePaths={folder}
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
LockPersonality=yes
{runtime}
[Install]
WantedBy=multi-user.target
"""

SOCKET = """\
[Unit]
Description=maysend: {name}

[Socket]
ListenStream={where}
{owner}Backlog={backlog}
Service=maysend.service

[Install]
WantedBy=sockets.target
"""


def service_unit(configuration: Configuration, program: str) -> str:
    """maysend.service. `program` is the absolute path of the command."""
    file = configuration.file.absolute()
    folders = {Path(each.endpoint.path).parent for each in configuration.listeners}
    # systemd makes folders below /run and removes them; others have to be there.
    below_run = sorted({path.parts[2] for path in folders if Path("/run") in path.parents})
    runtime = (
        # Kept, for there may be sockets in it that systemd listens on.
        f"RuntimeDirectory={' '.join(below_run)}\nRuntimeDirectoryPreserve=yes\n"
        if below_run
        else ""
    )
    return SERVICE.format(
        program=program,
        file=file,
        folder=file.parent,
        stop=int(configuration.grace) + EXTRA,
        runtime=runtime,
    )


def socket_units(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """The name and the text of each listener's socket unit."""
    for settings in configuration.listeners:
        name = f"maysend-{settings.name}.socket"
        yield (
            name,
            SOCKET.format(
                name=settings.name,
                where=_listen_stream(settings),
                owner=_owner(settings),
                backlog=BACKLOG,
            ),
        )


def _listen_stream(settings: ListenerSettings) -> str:
    address = settings.endpoint
    if address.path:
        return address.path
    if address.host == "*":
        return str(address.port)
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _owner(settings: ListenerSettings) -> str:
    if not settings.endpoint.path:
        return ""
    lines = [
        f"{key}={value}\n"
        for key, value in (
            ("SocketUser", settings.owner),
            ("SocketGroup", settings.group),
            ("SocketMode", f"{settings.permissions:04o}"),
        )
        if value
    ]
    return "".join(lines)
