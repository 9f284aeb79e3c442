"""What the listeners of one worker process share: directory, policies, threads, logs, metrics."""

import asyncio
import time
from collections.abc import Mapping

import msgspec

from maysend.directory import Directory
from maysend.directory.location import absolute_url
from maysend.maincf import Parameters
from maysend.policy import Policy, ReloadingPolicy
from maysend.servers.configuration import Configuration, ConfigurationError, PolicySettings
from maysend.servers.deciding import Deciding, FixedPolicy, PolicyInUse
from maysend.servers.decision_log import FLUSH, DecisionLog
from maysend.servers.log import Log
from maysend.servers.log_file import LogFile
from maysend.servers.metrics import Metrics, Sample
from maysend.servers.submission.traffic import Counts, Traffic
from maysend.servers.threads import BoundedThreads
from maysend.tables import TableContext, TableError
from maysend.tables.table import Opener

REFRESH = 1.0
"""Seconds between two looks at whether main.cf has changed and the directory answers."""


class WorkerSite:
    """Opened by `WorkerSite(configuration, log, metrics)`.

    Raises ConfigurationError, DirectoryError, PolicyError, MainCfError, OSError where the
    configuration asks for what can't be.
    """

    def __init__(self, configuration: Configuration, log: Log, metrics: Metrics) -> None:
        self.configuration = configuration
        self.log = log
        self.metrics = metrics
        self.problem = ""
        """Why this worker can't serve as it should, where that is so."""
        self.directory: Directory | None = None
        if configuration.directory:
            url = absolute_url(configuration.directory, configuration.file)
            self.directory = Directory.open(url, create=False)
        self.table_types: Mapping[str, Opener] = (
            {} if self.directory is None else self.directory.table_types()
        )
        self.threads = BoundedThreads(configuration.decision_threads, name="decisions")
        self.deciding = Deciding(self.threads, log)
        self.decision_log = self._decision_log()
        self.traffic = Traffic(time.monotonic)
        metrics.also(lambda: _counts(self.traffic.counts))
        self._policies: dict[tuple[str, ...], ReloadingPolicy | FixedPolicy] = {}

    def policy(
        self, settings: PolicySettings, overrides: Mapping[str, str] | None = None
    ) -> PolicyInUse:
        """The policy that a listener asks; listeners with the same one share it.

        `overrides` are parameters that it needs otherwise than they stand in main.cf.
        """
        given = dict(overrides or {})
        key = (settings.postfix, settings.service, *(f"{n}={v}" for n, v in given.items()))
        known = self._policies.get(key)
        if known is None:
            known = self._policies[key] = self._opened(settings, given)
        return known

    def parameters(self, settings: PolicySettings) -> Parameters:
        """main.cf's parameters for a listener, without compiling the policy."""
        if settings.postfix:
            folder = self.configuration.path(settings.postfix)
            return Parameters.load(folder, settings.service or None)
        return self.policy(settings).policy.parameters

    async def keep(self) -> None:
        """Write logs, follow changed files and watch the directory, for as long as this runs."""
        passed = REFRESH
        while True:
            await asyncio.sleep(FLUSH)
            self.decision_log.flush()
            passed += FLUSH
            if passed >= REFRESH:
                passed = 0.0
                await asyncio.to_thread(self._refresh)

    def close(self) -> None:
        """Write what is kept and let go of everything."""
        self.decision_log.close()
        self.threads.close()
        if self.directory is not None:
            self.directory.close()

    def _opened(
        self, settings: PolicySettings, overrides: Mapping[str, str]
    ) -> "ReloadingPolicy | FixedPolicy":
        if not settings.postfix:
            if self.directory is None:
                raise ConfigurationError(
                    str(self.configuration.file),
                    None,
                    f"the listener {settings.name} asks the policy that comes with maysend, which "
                    'needs a directory: add directory = "sqlite:///maysend.db", or postfix = '
                    '"/etc/postfix" to the listener',
                )
            return FixedPolicy(Policy.builtin(self.table_types, overrides))
        folder = self.configuration.path(settings.postfix)
        service = settings.service or None
        return ReloadingPolicy(
            lambda: Policy(Parameters.load(folder, service).replaced(overrides), self.table_types),
            folder,
            lambda text: self.log(f"warning: {text}"),
        )

    def _decision_log(self) -> DecisionLog:
        settings = self.configuration.log
        if not settings.decisions:
            return DecisionLog(self.log)
        lost = self.metrics.counter(
            "maysend_decision_log_lost_total", "Lines of the decision log that were not written."
        )

        def tell(problem: OSError, lines: int) -> None:
            self.log(f"error: {file.path}: {problem.strerror}: {lines} lines are lost")
            lost.value += lines

        file = LogFile(
            self.configuration.path(settings.decisions),
            settings.decisions_size,
            settings.decisions_keep,
            tell,
        )
        file.open()
        return DecisionLog(self.log, file, settings.decisions_steps)

    def _refresh(self) -> None:
        for policy in list(self._policies.values()):
            if isinstance(policy, ReloadingPolicy) and policy.refresh():
                self.log("main.cf or master.cf has changed: the new policy is in use")
        problem = self._directory_problem()
        if problem and not self.problem:
            self.log(f"error: {problem}")
        elif self.problem and not problem:
            self.log("the directory answers again")
        self.problem = problem

    def _directory_problem(self) -> str:
        if not self.table_types:
            return ""
        try:
            self.table_types["directory"]("domains", TableContext()).lookup("localhost")
        except TableError as error:
            return f"the directory can't be asked: {error.reason}"
        return ""


def _counts(counts: Counts) -> list[Sample]:
    """What the gateways of this process count together."""
    help = "What the submission gateways of maysend have counted: {}."
    return [
        Sample(
            f"maysend_submission_{name}", "gauge", help.format(name.replace("_", " ")), (), value
        )
        if name == "connections_open"
        else Sample(
            f"maysend_submission_{name}_total",
            "counter",
            help.format(name.replace("_", " ")),
            (),
            value,
        )
        for name, value in msgspec.structs.asdict(counts).items()
    ]
