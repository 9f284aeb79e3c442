"""The milter: Postfix's `smtpd_milters` asks it about whole messages (MILTER_README)."""

from maysend.servers.milter.service import MilterService

__all__ = ["MilterService"]
