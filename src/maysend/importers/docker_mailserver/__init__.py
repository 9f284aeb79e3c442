"""docker-mailserver's configuration directory, as it is mounted, into the directory.

`read_folder` reads it, `synchronise` makes the directory hold it, `Follower` does so again
whenever it changes.
"""

from maysend.importers.docker_mailserver.folder import read_folder
from maysend.importers.docker_mailserver.following import Follower
from maysend.importers.docker_mailserver.synchronising import Outcome, synchronise

__all__ = ["Follower", "Outcome", "read_folder", "synchronise"]
