"""What `maysend serve` follows beside its workers, if anything."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from maysend.servers.configuration import Configuration

if TYPE_CHECKING:
    from maysend.servers.processes.following import Following


async def followed(
    before: "Following | None", configuration: Configuration, log: Callable[[str], None]
) -> "Following | None":
    """What follows as `configuration` says, in place of `before`. Raises CannotServe."""
    if before is not None and before.settings == configuration.follow:
        return before
    following = None
    if configuration.follow.docker_mailserver:
        # Imported here: the supervisor has no other need of the database library.
        from maysend.servers.processes.following import Following

        following = Following(configuration, log)
        await asyncio.to_thread(following.start)
    if before is not None:
        await asyncio.to_thread(before.stop)
    return following
