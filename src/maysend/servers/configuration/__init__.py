"""maysend.toml: how maysend runs. Who may send is not said there: that is the policy's."""

from maysend.servers.configuration.address import Address
from maysend.servers.configuration.errors import ConfigurationError
from maysend.servers.configuration.reading import read_configuration
from maysend.servers.configuration.settings import (
    Configuration,
    FollowSettings,
    ListenerSettings,
    LogSettings,
    MetricsSettings,
    PolicySettings,
)

__all__ = [
    "Address",
    "Configuration",
    "ConfigurationError",
    "FollowSettings",
    "ListenerSettings",
    "LogSettings",
    "MetricsSettings",
    "PolicySettings",
    "read_configuration",
]
