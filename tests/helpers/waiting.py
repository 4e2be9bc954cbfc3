"""Wait for a condition, never for a time."""

import time

PATIENCE = 90
"""Seconds until something that should show counts as missing. Most shows in a tenth of one; a
server that starts on a machine with much other work has needed 45."""


def until(condition):
    """Wait until a condition holds; a grid's edit reaches the server after a pause of its own."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)
