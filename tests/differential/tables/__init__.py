"""Random lookups, asked of this program and of the installed postmap."""
