"""The directory: who has an account, and what else each may send as.

`Directory.open` is the door; DESIGN.md, "The directory", and docs/design say what it decides.
"""

from maysend.directory.directory import Directory
from maysend.directory.errors import DirectoryError, DirectoryUnavailable

__all__ = ["Directory", "DirectoryError", "DirectoryUnavailable"]
