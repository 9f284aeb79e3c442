"""What a policy server is to the restriction that asks it."""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class PolicyService(msgspec.Struct, frozen=True, kw_only=True):
    """One policy server as a check_policy_service item names it (postconf(5)).

    `server` is as written, `unix:private/policy`; `endpoint` the same with the path made absolute.
    Times are in seconds; `try_limit` counts attempts, and a `request_limit` of 0 is no limit.
    """

    server: str
    endpoint: str
    default_action: str
    policy_context: str
    timeout: int
    try_limit: int
    retry_delay: int
    request_limit: int
    max_idle: int
    max_ttl: int


class PolicyServiceError(Exception):
    """No usable reply, after as many attempts as are allowed; the text says why."""


class PolicyServices(Protocol):
    """Asked by check_policy_service through `Evaluation.ask_policy_service`."""

    @property
    def blocking(self) -> bool:
        """Whether a question may have to wait for a server."""
        ...

    def new_instance(self) -> str:
        """A name for one message, that no other message has: the `instance` attribute."""
        ...

    def ask(self, service: PolicyService, attributes: Mapping[str, str], /) -> str:
        """The action that the server answers; raises PolicyServiceError where there is none."""
        ...
