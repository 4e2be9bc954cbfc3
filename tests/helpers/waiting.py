"""Wait for a condition, never for a time."""

import os
import time
from collections.abc import Callable

_QUIET = 60.0
"""Seconds on a machine without other work. Most conditions hold within a tenth of one."""


def patience() -> float:
    """Seconds until something that does not happen counts as missing.

    Grows with the load of the machine: a server that starts in 2 s can need 45 under load.
    """
    load, *_ = os.getloadavg()
    return _QUIET * max(1.0, load / (os.cpu_count() or 1))


def holds_in_time(condition: Callable[[], object]) -> bool:
    """Wait until a condition holds; whether it did."""
    begin = time.monotonic()
    while not condition():
        # Asked each time: the load may have grown since.
        if time.monotonic() > begin + patience():
            return False
        time.sleep(0.05)
    return True


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    assert holds_in_time(condition), "the condition did not come to hold"
