"""Calls into a library that can't be interrupted and may never return."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Generic, TypeVar

T = TypeVar("T")


class TooManyCallsError(Exception):
    """As many calls as are allowed have not returned yet."""


class Abandoning(Generic[T]):
    """Makes each call in a thread of its own, and leaves the thread behind when it takes too long.

    At most `most` calls are under way, the abandoned ones included. What such a call gives after
    all goes to `discard`.
    """

    def __init__(self, most: int, discard: Callable[[T], None]) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._discard = discard

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """The result of `function`, within `seconds`.

        Raises TimeoutError, TooManyCallsError, and what `function` raises.
        """
        if not self._free.acquire(blocking=False):
            raise TooManyCallsError
        future: Future[T] = Future()
        threading.Thread(target=self._run, args=(function, future), daemon=True).start()
        try:
            return future.result(seconds)
        except FutureTimeoutError:
            if future.cancel():
                raise TimeoutError(f"not done within {seconds:g} s") from None
            return future.result()  # it was done at the last moment

    def _run(self, function: Callable[[], T], future: "Future[T]") -> None:
        result: T | None = None
        failure: BaseException | None = None
        try:
            result = function()
        except BaseException as error:
            failure = error
        finally:
            self._free.release()
        if not future.set_running_or_notify_cancel():
            if failure is None:
                self._discard(result)  # type: ignore[arg-type]
        elif failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(result)  # type: ignore[arg-type]
