"""What lint finds, and what it must not find."""
