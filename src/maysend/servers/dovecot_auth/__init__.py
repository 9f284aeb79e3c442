"""Passwords of the directory for others: Postfix's `smtpd_sasl_type = dovecot` (SASL_README)."""

from maysend.servers.dovecot_auth.listener import DovecotAuthListener

__all__ = ["DovecotAuthListener"]
