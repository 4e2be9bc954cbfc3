"""How often this process did what costs time, and how long it took in all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock


@dataclass
class Total:
    """So many times, so many seconds."""

    count: int = 0
    seconds: float = 0.0

    @property
    def average_ms(self) -> float | None:
        """Milliseconds each; None when there was none."""
        return 1000 * self.seconds / self.count if self.count else None


totals: dict[str, Total] = {}
"""By what was done: `crontab read`, `crontab write`, `query`, `request`."""

endpoints: dict[str, Total] = {}
"""By the method and the route of the API, such as `GET /tasks/{task}`."""

_lock = Lock()


def add(what: str, seconds: float, among: dict[str, Total] = totals) -> None:
    """Count one."""
    with _lock:
        total = among.setdefault(what, Total())
        total.count += 1
        total.seconds += seconds


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Count what is done within."""
    start = time.perf_counter()
    try:
        yield
    finally:
        add(what, time.perf_counter() - start)
