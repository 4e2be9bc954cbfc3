"""When the machine was off, by its boots or else by PiTasker's signs of life. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pitasker_core.runs.missed.detection import Cause, Stretch

SIGN = timedelta(minutes=5)
"""How often a running PiTasker says that it is there."""

_FIRST_MINUTES = timedelta(minutes=15)
"""After a boot a machine without a battery clock reaches a time server within these."""


@dataclass(frozen=True)
class Boot:
    """The first and the last that the journal knows of a boot."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Sign:
    """The last that PiTasker said of itself. `stopped` when it was ended while the machine stayed
    on: from then on nobody knows."""

    at: datetime
    stopped: bool


def offs(boots: Sequence[Boot], booted_at: datetime, sign: Sign | None) -> list[Stretch]:
    """When the machine was off: between the boots of its journal, or, where that has no more than
    this boot, since the last sign of life.

    Between that sign and the next that would have come, the machine may have been on or off.
    """
    if len(boots) > 1:
        between = [Stretch(a.end, b.start, Cause.OFF) for a, b in pairwise(boots)]
        return [one for one in between if one.start < one.end]
    if sign is None or sign.stopped or sign.at + SIGN >= booted_at:
        return []
    return [
        Stretch(sign.at, sign.at + SIGN, Cause.UNSEEN),
        Stretch(sign.at, booted_at, Cause.OFF),
    ]


def with_true_starts(
    found: Sequence[Boot], jumps: Sequence[tuple[datetime, datetime]], booted_at: datetime
) -> list[Boot]:
    """Boots as they were by a right clock.

    A machine without a battery clock begins each boot at the time of its last end, and jumps when
    it reaches a time server: `jumps` are those that the log shows.
    """
    right = []
    for boot in found[:-1]:
        start = boot.start
        for before, after in jumps:
            if timedelta(0) <= before - start < _FIRST_MINUTES:
                start = after - (before - start)
        right.append(Boot(start, boot.end))
    return right + [Boot(booted_at, boot.end) for boot in found[-1:]]
