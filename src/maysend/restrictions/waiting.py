"""Questions whose answer may have to be waited for (DESIGN.md, "Plain synchronous lookups")."""


class WouldWait(Exception):
    """A table or a name server would have to be waited for, and whoever asks must not wait.

    The same question can be asked again where waiting is allowed.
    """
