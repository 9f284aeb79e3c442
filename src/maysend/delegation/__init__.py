"""Policy servers, as smtpd asks them with check_policy_service (SMTPD_POLICY_README).

A restriction asks `PolicyServices`. `SocketPolicyServices` talks to real servers,
`RecordedPolicyServices` has its answers from a dictionary and talks to nobody.
"""

from maysend.delegation.client import SocketPolicyServices
from maysend.delegation.recorded import RecordedPolicyServices
from maysend.delegation.service import PolicyService, PolicyServiceError, PolicyServices

__all__ = [
    "PolicyService",
    "PolicyServiceError",
    "PolicyServices",
    "RecordedPolicyServices",
    "SocketPolicyServices",
]
