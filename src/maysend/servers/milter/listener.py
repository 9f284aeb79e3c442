"""`kind = "milter"` in maysend.toml."""

from maysend.policy.policy import HEADER_CHECK
from maysend.servers.configuration import PolicySettings
from maysend.servers.listener import Listener
from maysend.servers.milter.service import MilterService
from maysend.servers.questions import QuestionListener
from maysend.servers.worker_site import WorkerSite

HEADER_POLICY = {"smtpd_end_of_data_restrictions": HEADER_CHECK}
"""What a main.cf that Postfix reads can't say itself: smtpd would answer 451 to everybody."""


class MilterListenerSettings(PolicySettings, frozen=True, kw_only=True):
    """`envelope`: ask the lists for client, HELO, sender, recipients and DATA too."""

    envelope: bool = False


def open_milter_listener(settings: MilterListenerSettings, site: WorkerSite) -> Listener:
    """The listener that `settings` describe. Raises what opening its policy raises.

    With `postfix`, the header is checked by that main.cf's owners; its own end-of-data list is
    left to Postfix.
    """
    overrides = HEADER_POLICY if settings.postfix else {}
    service = MilterService(
        settings.name,
        site.policy(settings, overrides),
        site.deciding,
        site.decision_log,
        site.metrics,
        site.log,
        envelope=settings.envelope,
    )
    return QuestionListener(
        service, settings.name, site.metrics, site.log, connections=settings.connections
    )
