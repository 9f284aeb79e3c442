"""The policy: compiled once, then asked (`Policy`, `Request`, `Session`, `Decision`)."""

from maysend.policy.decision import Decision
from maysend.policy.errors import PolicyError
from maysend.policy.policy import Policy
from maysend.policy.reloading import ReloadingPolicy
from maysend.policy.request import ProtocolState, Request
from maysend.policy.session import Session
from maysend.restrictions.waiting import WouldWait

__all__ = [
    "Decision",
    "Policy",
    "PolicyError",
    "ProtocolState",
    "ReloadingPolicy",
    "Request",
    "Session",
    "WouldWait",
]
