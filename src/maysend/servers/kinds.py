"""The kinds of listeners that maysend.toml may name: an explicit index, one line each."""

from collections.abc import Callable
from typing import Any

import msgspec

from maysend.servers.configuration import ListenerSettings
from maysend.servers.dovecot_auth.settings import (
    DovecotAuthListenerSettings,
    open_dovecot_auth_listener,
)
from maysend.servers.listener import Listener
from maysend.servers.milter.listener import MilterListenerSettings, open_milter_listener
from maysend.servers.policy.listener import PolicyListenerSettings, open_policy_listener
from maysend.servers.socketmap.listener import SocketmapListenerSettings, open_socketmap_listener
from maysend.servers.submission.served import (
    SubmissionListenerSettings,
    open_submission_listener,
)
from maysend.servers.worker_site import WorkerSite


class Kind(msgspec.Struct, frozen=True):
    """What a `[[listener]]` of this kind may say, and what opens it in a worker."""

    settings: type[ListenerSettings]
    open: Callable[[Any, WorkerSite], Listener]


KINDS: dict[str, Kind] = {
    "policy": Kind(PolicyListenerSettings, open_policy_listener),
    "submission": Kind(SubmissionListenerSettings, open_submission_listener),
    "socketmap": Kind(SocketmapListenerSettings, open_socketmap_listener),
    "milter": Kind(MilterListenerSettings, open_milter_listener),
    "dovecot_auth": Kind(DovecotAuthListenerSettings, open_dovecot_auth_listener),
}
"""`kind = "…"` → what it is."""


def open_listener(settings: ListenerSettings, site: WorkerSite) -> Listener:
    """The listener that `settings` describe. Raises what `WorkerSite` raises."""
    return KINDS[settings.kind].open(settings, site)


def settings_by_kind() -> dict[str, type[ListenerSettings]]:
    """What `read_configuration` needs to know of the kinds."""
    return {name: kind.settings for name, kind in KINDS.items()}
