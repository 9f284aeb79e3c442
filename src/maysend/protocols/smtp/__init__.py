"""SMTP (RFC 5321), both ends: `server` for who calls us, `client` for the next hop we call."""
