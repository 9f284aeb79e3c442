"""What a restriction wants done, other than that mail is permitted or refused."""

import msgspec


class Action(msgspec.Struct, frozen=True, gc=False):
    """Something else than an answer that a table asked for (access(5), "OTHER ACTIONS")."""

    name: str
    argument: str = ""
