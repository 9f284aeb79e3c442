"""`kind = "policy"` in maysend.toml."""

from maysend.servers.configuration import PolicySettings
from maysend.servers.listener import Listener
from maysend.servers.policy.service import PolicyService
from maysend.servers.questions import QuestionListener
from maysend.servers.worker_site import WorkerSite


class PolicyListenerSettings(PolicySettings, frozen=True, kw_only=True):
    """Nothing but what every listener with a policy may say."""


def open_policy_listener(settings: PolicyListenerSettings, site: WorkerSite) -> Listener:
    """The listener that `settings` describe. Raises what opening its policy raises."""
    service = PolicyService(
        settings.name,
        site.policy(settings),
        site.deciding,
        site.decision_log,
        site.metrics,
        site.log,
    )
    return QuestionListener(
        service, settings.name, site.metrics, site.log, connections=settings.connections
    )
