"""How the directory says no."""


class DirectoryError(Exception):
    """A request that the directory refuses; the text says what was expected instead."""


class DirectoryUnavailable(DirectoryError):
    """The database behind the directory can't be asked just now: nobody knows the answer."""
