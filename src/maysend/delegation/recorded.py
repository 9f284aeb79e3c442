"""Policy servers that were asked already, or that nobody may ask."""

from collections.abc import Mapping

from maysend.delegation.service import PolicyService, PolicyServiceError


class RecordedPolicyServices:
    """Answers `{"unix:private/policy": "DUNNO"}`, by the server as it is written in main.cf.

    Any other server is not asked: as if it were down.
    """

    blocking = False

    def __init__(self, actions: Mapping[str, str]) -> None:
        self._actions = actions

    def new_instance(self) -> str:
        """The same for every message, so that the same question looks the same."""
        return "1"

    def ask(self, service: PolicyService, attributes: Mapping[str, str], /) -> str:
        """The action recorded for the server."""
        action = self._actions.get(service.server)
        if action is None:
            raise PolicyServiceError("not asked")
        return action
