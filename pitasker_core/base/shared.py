"""A value that many threads ask for at once and that is computed once for all of them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pitasker_core.base import local_changes

T = TypeVar("T")


@dataclass(frozen=True)
class _Outcome(Generic[T]):
    """What one computation returned or raised, and what was known when it began."""

    began: float
    ended: float
    changes: int
    value: T | None = None
    error: Exception | None = None

    def is_usable(self, called_at: float, changes: int, max_age: float) -> bool:
        """Whether a caller who asked at this time, after these changes, may get it."""
        if self.changes < changes:
            return False
        # Counted from the end: on a busy machine a computation may take longer than `max_age`.
        is_young = max_age > 0 and not self.error and self.ended >= called_at - max_age
        return is_young or self.began >= called_at

    def result(self) -> T:
        """Return the value, or raise the error."""
        if self.error:
            raise self.error
        return self.value  # type: ignore[return-value]


class Shared(Generic[T]):
    """Computes a value for all threads that wait for it.

    Each caller gets the result of a computation that began after the caller asked, or ended at most
    `max_age` seconds before, and that began after the newest change that this process made. The
    callers who wait for a computation share its error, too; later callers do not.
    """

    def __init__(self, compute: Callable[[], T]) -> None:
        self._compute = compute
        self._condition = threading.Condition()
        self._is_computing = False
        self._outcome: _Outcome[T] | None = None

    def get(self, max_age: float = 0.0) -> T:
        """Return the value, computed if need be. Raises what the computation raises."""
        called_at, changes = time.monotonic(), local_changes.count()
        with self._condition:
            while True:
                outcome = self._outcome
                if outcome and outcome.is_usable(called_at, changes, max_age):
                    return outcome.result()
                if not self._is_computing:
                    break
                self._condition.wait()
            self._is_computing = True
        return self._run().result()

    def peek(self, max_age: float) -> T | None:
        """Return the value if it is young enough; never wait and never compute."""
        outcome = self._outcome
        if outcome and outcome.is_usable(time.monotonic(), local_changes.count(), max_age):
            return outcome.value
        return None

    def _run(self) -> _Outcome[T]:
        began, changes = time.monotonic(), local_changes.count()
        outcome: _Outcome[T] | None = None
        try:
            value = self._compute()
            outcome = _Outcome(began, time.monotonic(), changes, value)
        except Exception as error:
            outcome = _Outcome(began, time.monotonic(), changes, error=error)
        finally:
            with self._condition:
                self._outcome = outcome
                self._is_computing = False
                self._condition.notify_all()
        return outcome
