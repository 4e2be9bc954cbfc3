"""Counters of what costs time in this process: how often, and how long in total."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock


@dataclass
class Total:
    """A number of calls and their total duration in seconds."""

    count: int = 0
    seconds: float = 0.0

    @property
    def average_ms(self) -> float | None:
        """The mean in milliseconds; None without calls."""
        return 1000 * self.seconds / self.count if self.count else None


totals: dict[str, Total] = {}
"""Totals by kind of work: `crontab read`, `crontab write`, `query`, `request`."""

endpoints: dict[str, Total] = {}
"""Totals by method and route of the API, such as `GET /tasks/{task}`."""

_lock = Lock()


def add(what: str, seconds: float, among: dict[str, Total] = totals) -> None:
    """Count one call."""
    with _lock:
        total = among.setdefault(what, Total())
        total.count += 1
        total.seconds += seconds


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Count the work of a `with` block."""
    start = time.perf_counter()
    try:
        yield
    finally:
        add(what, time.perf_counter() - start)
