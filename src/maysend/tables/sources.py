"""The files that something was read from, and whether they have changed since."""

import os
import time
from typing import TypeAlias

State: TypeAlias = tuple[int, ...] | None
"""What tells one version of a file from another; None where there is no file to be seen."""

_SETTLED = 400_000_000  # nanoseconds; a writer may pause
_TICK = 10_000_000  # nanoseconds; the longest one of Linux, by which it dates changes


class Sources:
    """Paths, with the state in which each of them was noted, before it was read."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[State, bool]] = {}

    def __bool__(self) -> bool:
        return bool(self._files)

    def note(self, path: str, *, replaced_only: bool = False) -> None:
        """Remember how `path` is now; called before it is read.

        `replaced_only` is for a file in which its reader sees changes by itself: only another file
        of the same name counts as a change.
        """
        state = _state(path)
        if not replaced_only and _age(state) < _TICK:
            # It could change once more without looking different.
            time.sleep(_TICK / 1e9)
            state = _state(path)
        self._files[path] = (state, replaced_only)

    def add(self, others: "Sources") -> None:
        """Remember what `others` has noted, too."""
        self._files.update(others._files)

    def mind_all(self) -> None:
        """Let every change count from now on, also one that a reader would see by itself."""
        self._files = {path: (state, False) for path, (state, _) in self._files.items()}

    def changed(self) -> bool:
        """Whether any of the files is not as it was noted."""
        return any(
            _identity(_state(path), replaced_only) != _identity(state, replaced_only)
            for path, (state, replaced_only) in self._files.items()
        )

    def settled(self) -> bool:
        """Whether nobody seems to be writing to any of the files just now."""
        return all(_age(_state(path)) >= _SETTLED for path in self._files)


def _state(path: str) -> State:
    """The change time is in it, which nobody can set back, as a copy does with the other times."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return (
        status.st_dev, status.st_ino, status.st_size, status.st_mode, status.st_mtime_ns,
        status.st_ctime_ns,
    )  # fmt: skip


def _identity(state: State, replaced_only: bool) -> State:
    return state[:2] if replaced_only and state is not None else state


def _age(state: State) -> int:
    """Nanoseconds since the last change; much where that is in the future, by another clock."""
    if state is None:
        return _SETTLED
    age = time.time_ns() - state[-1]
    return age if age >= 0 else _SETTLED
