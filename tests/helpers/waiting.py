"""Wait for a condition, never for a fixed time."""

import os
import time
from collections.abc import Callable

_QUIET = 60.0
"""The time limit in seconds on an idle machine. Most conditions take less than 0.1 s."""


def patience() -> float:
    """Return the time limit in seconds.

    It grows with the machine's load: a server that starts in 2 s may need 45 s under load.
    """
    load, *_ = os.getloadavg()
    return _QUIET * max(1.0, load / (os.cpu_count() or 1))


def holds_in_time(condition: Callable[[], object]) -> bool:
    """Wait for a condition. Returns whether it became true."""
    begin = time.monotonic()
    while not condition():
        # Computed each time: the load may have grown since.
        if time.monotonic() > begin + patience():
            return False
        time.sleep(0.05)
    return True


def until(condition: Callable[[], object]) -> None:
    """Wait for a condition. Fails the test if it does not become true."""
    assert holds_in_time(condition), "the condition did not become true in time"
