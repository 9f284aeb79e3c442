"""From other programs' files to the directory, with a report of what changes its meaning."""
