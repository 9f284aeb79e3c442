"""The configuration that `maysend serve` is asked to serve, or why it can't."""

import os
import pwd
from pathlib import Path

import msgspec

from maysend.servers.configuration import Configuration, ConfigurationError, read_configuration
from maysend.servers.kinds import settings_by_kind


class CannotServe(Exception):
    """maysend can't start as configured; the text says why."""


def configuration_to_serve(file: Path, follow: Path | None = None) -> Configuration:
    """What `file` says; `follow` is a docker-mailserver's folder in place of the one there.

    Raises CannotServe.
    """
    try:
        configuration = read_configuration(file, settings_by_kind())
    except ConfigurationError as problem:
        raise CannotServe(str(problem)) from None
    if follow is not None:
        given = str(follow.absolute())
        settings = msgspec.structs.replace(configuration.follow, docker_mailserver=given)
        configuration = msgspec.structs.replace(configuration, follow=settings)
    try:
        pwd.getpwnam(configuration.user or "root")
    except KeyError:
        raise CannotServe(f'{file}: user = "{configuration.user}": there is no such user') from None
    if not configuration.listeners:
        raise CannotServe(
            f"{file}: no [[listener]]: there is nothing to serve. `maysend init` "
            "writes a file with examples"
        )
    return configuration


def privileges_left(configuration: Configuration) -> str:
    """A warning where the workers, who read what strangers send, may do more than they need."""
    if os.geteuid() != 0 or configuration.user not in ("", "root"):
        return ""
    return 'warning: the workers run as root: name a user for them, user = "…" in maysend.toml'
