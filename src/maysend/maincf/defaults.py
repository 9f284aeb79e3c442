"""What Postfix 3.7 assumes for a parameter that is not set (postconf -d).

`defaults.cf` beside this file holds them in main.cf's own syntax, as Debian builds them; what
depends on the host is worked out here when it is asked for. A test compares every one, as written
and expanded, with the installed postconf.
"""

from collections.abc import Callable, Mapping
from functools import cache
from os.path import dirname, join
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from maysend.maincf.host import Host

if TYPE_CHECKING:
    from maysend.maincf.parameters import Parameters

Default: TypeAlias = "str | Callable[[Parameters, Host], str]"
"""A raw value, or what works it out from the other parameters and the host."""

NEVER_EXPANDED = frozenset(
    {
        "command_execution_directory",
        "default_rbl_reply",
        "forward_path",
        "luser_relay",
        "mailbox_command",
        "postscreen_expansion_filter",
        "postscreen_reject_footer",
        "smtpd_expansion_filter",
        "smtpd_reject_footer",
    }
)
"""Parameters whose `$name` Postfix leaves in place when it reads main.cf (CONFIG_RAW_TABLE)."""

NONE: Mapping[str, Default] = MappingProxyType({})


@cache
def all_of_postfix() -> Mapping[str, Default]:
    """Every default by name, read once."""
    with open(join(dirname(__file__), "defaults.cf"), encoding="utf-8") as file:
        text = file.read()
    table: dict[str, Default] = {}
    for line in text.splitlines():
        name, equals, raw = line.partition(" =")
        if equals and not line.startswith("#"):
            table[name] = raw[1:]
    table.update(_FROM_THE_HOST)
    return MappingProxyType(table)


def _myhostname(parameters: "Parameters", host: Host) -> str:
    """The host's name, completed with $mydomain where it has no dot."""
    name = host.name
    if "." in name:
        return name
    is_set = parameters.setting("mydomain") is not None
    return f"{name}.{parameters['mydomain'] if is_set else 'localdomain'}"


def _mydomain(parameters: "Parameters", host: Host) -> str:
    """$myhostname without its first label."""
    _, dot, domain = parameters["myhostname"].partition(".")
    return domain if dot else "localdomain"


def _mynetworks(parameters: "Parameters", host: Host) -> str:
    from maysend.maincf import interfaces  # loads socket, which few questions need

    return interfaces.default_mynetworks(parameters, host)


def _mail_version(parameters: "Parameters", host: Host) -> str:
    return host.mail_version


def _config_directory(parameters: "Parameters", host: Host) -> str:
    return parameters.directory


_FROM_THE_HOST: dict[str, Default] = {
    "config_directory": _config_directory,
    "mail_version": _mail_version,
    "mydomain": _mydomain,
    "myhostname": _myhostname,
    "mynetworks": _mynetworks,
    "process_id": "0",
    "process_name": "smtpd",
}
