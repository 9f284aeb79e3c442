"""A policy that follows main.cf and master.cf."""

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from maysend.maincf import MainCfError
from maysend.policy.errors import PolicyError
from maysend.policy.policy import Policy
from maysend.tables.sources import Sources
from maysend.tables.table import Warn, ignore

_FILES = ("main.cf", "master.cf")


class ReloadingPolicy:
    """`policy`, as `load` makes it of the main.cf and master.cf in `directory`.

    A server calls refresh() about once a second, and takes `policy` anew for each session: a
    session goes on with the policy that it began with, as in smtpd. Tables and lists follow their
    own files, and need no refresh. `warn` is told, once a version, why a new main.cf or master.cf
    can't be used; then the policy before stays. Raises what `load` raises.
    """

    def __init__(
        self, load: Callable[[], Policy], directory: str | Path, warn: Warn = ignore
    ) -> None:
        self._load = load
        self._directory = Path(directory)
        self._warn = warn
        self._one_at_a_time = Lock()
        self._sources = self._noted()
        self.policy = load()

    def refresh(self) -> bool:
        """Load the policy again where its files have changed; whether it is a new one now.

        Reads files, and opens tables: a server with an event loop calls it in a thread. Any number
        of threads may call it.
        """
        if not self._one_at_a_time.acquire(blocking=False):
            return False
        try:
            if not self._sources.changed() or not self._sources.settled():
                return False
            self._sources = self._noted()
            policy = self._load()
        except (MainCfError, PolicyError) as error:
            self._warn(f"{error}; the configuration before is still used")
            return False
        finally:
            self._one_at_a_time.release()
        self.policy = policy
        return True

    def _noted(self) -> Sources:
        sources = Sources()
        for name in _FILES:
            sources.note(str(self._directory / name))
        return sources
