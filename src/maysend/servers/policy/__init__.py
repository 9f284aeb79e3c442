"""The policy delegation service: Postfix's `check_policy_service` asks it (SMTPD_POLICY_README)."""

from maysend.servers.policy.service import PolicyService

__all__ = ["PolicyService"]
