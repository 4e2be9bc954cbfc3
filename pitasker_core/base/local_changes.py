"""How often this process has changed the crontab or the database.

A shared value that was computed before such a change is not used after it, so that nobody gets an
answer from before their own write.
"""

import itertools

_numbers = itertools.count(1)
_newest = 0


def note() -> None:
    """Count a change. Call it after the change is visible to others."""
    global _newest
    _newest = next(_numbers)


def count() -> int:
    """Return the number of the newest change."""
    return _newest
