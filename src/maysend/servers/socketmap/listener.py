"""`kind = "socketmap"` in maysend.toml."""

from maysend.directory.tables import FINDERS
from maysend.servers.configuration import ConfigurationError, PolicySettings
from maysend.servers.listener import Listener
from maysend.servers.questions import QuestionListener
from maysend.servers.socketmap.service import SocketmapService
from maysend.servers.worker_site import WorkerSite
from maysend.tables import TableContext


class SocketmapListenerSettings(PolicySettings, frozen=True, kw_only=True):
    """`postfix` and `service` say whose recipient_delimiter counts."""


def open_socketmap_listener(settings: SocketmapListenerSettings, site: WorkerSite) -> Listener:
    """The listener that `settings` describe: every `directory:` table is a map of its name.

    Raises ConfigurationError where there is no directory, MainCfError.
    """
    if site.directory is None:
        file = str(site.configuration.file)
        raise ConfigurationError(
            file,
            None,
            f"the listener {settings.name} answers from the directory: "
            'add directory = "sqlite:///maysend.db"',
        )
    context = TableContext(parameters=site.parameters(settings))
    opener = site.table_types["directory"]
    maps = {name: opener(name, context) for name in FINDERS}
    service = SocketmapService(settings.name, maps, site.threads, site.metrics, site.log)
    return QuestionListener(
        service, settings.name, site.metrics, site.log, connections=settings.connections
    )
