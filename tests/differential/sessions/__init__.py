"""Random sessions: the same dialogue to a live smtpd and to maysend's policy, every reply equal."""
