"""What maysend.toml may say. Every key is described in maysend.toml beside this file."""

import re
from pathlib import Path

import msgspec

from maysend.servers.configuration.address import Address
from maysend.servers.decision_log import Steps
from maysend.servers.log import Format


class ListenerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every `[[listener]]` may say.

    `owner`, `group` and `mode` are those of a unix socket. `name` is what logs and metrics call
    the listener: its kind unless given.
    """

    kind: str
    address: str
    name: str = ""
    owner: str = ""
    group: str = ""
    mode: str = "0660"
    connections: int = 1000

    @property
    def endpoint(self) -> Address:
        """The address, read. Raises ValueError."""
        return Address.parse(self.address)

    @property
    def permissions(self) -> int:
        """The mode, read. Raises ValueError."""
        if re.fullmatch("0?[0-7]{3}", self.mode) is None:
            raise ValueError(f'expected an octal mode such as "0660", got "{self.mode}"')
        return int(self.mode, 8)

    def check(self) -> None:
        """Raise ValueError with what can't be meant; its text begins with the key."""
        for key in ("address", "mode"):
            try:
                _ = self.endpoint if key == "address" else self.permissions
            except ValueError as problem:
                raise ValueError(f"{key}: {problem}") from None
        if self.connections < 1:
            raise ValueError(f"connections: expected 1 or more, got {self.connections}")


class PolicySettings(ListenerSettings, frozen=True, kw_only=True):
    """A listener that asks a policy: that of the Postfix configuration directory `postfix`, with
    the -o options of `service`, or the one that comes with maysend."""

    postfix: str = ""
    service: str = ""

    def check(self) -> None:
        """Raise ValueError with what can't be meant; its text begins with the key."""
        super().check()
        if self.service and not self.postfix:
            raise ValueError('service: needs postfix = "/etc/postfix" beside it')


class LogSettings(msgspec.Struct, frozen=True):
    """`decisions` is the file of the decision log: nothing is written there without one."""

    format: Format = "text"
    decisions: str = ""
    decisions_size: int = 100_000_000
    decisions_keep: int = 10
    decisions_steps: Steps = "refused"


class MetricsSettings(msgspec.Struct, frozen=True):
    """Where Prometheus asks, and who asks whether all is well."""

    address: str = ""


class FollowSettings(msgspec.Struct, frozen=True):
    """`docker_mailserver` is its mounted configuration directory, whose accounts and aliases are
    kept in the directory; `environment` its environment file."""

    docker_mailserver: str = ""
    environment: str = ""


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """A maysend.toml. `file` is where it was read."""

    file: Path
    directory: str = ""
    user: str = ""
    workers: int = 1
    decision_threads: int = 16
    grace: float = 30.0
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    follow: FollowSettings = FollowSettings()
    listeners: tuple[ListenerSettings, ...] = ()

    @property
    def metrics_address(self) -> Address | None:
        """Where metrics are asked for. Raises ValueError."""
        return Address.parse(self.metrics.address) if self.metrics.address else None

    def path(self, name: str) -> Path:
        """A file named in the configuration: relative to the file it stands in."""
        return self.file.absolute().parent / name
