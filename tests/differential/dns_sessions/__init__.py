"""Random sessions about names: zones, configurations and dialogues, held with a live smtpd."""
