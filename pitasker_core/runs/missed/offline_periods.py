"""When the machine was off, from the journal's boots or PiTasker's signs of life. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from pitasker_core.runs.missed.detection import Cause, Stretch

SIGN = timedelta(minutes=5)
"""How often a running PiTasker leaves a sign of life."""

_FIRST_MINUTES = timedelta(minutes=15)
"""A machine without a battery clock reaches a time server within this time after a boot."""


@dataclass(frozen=True)
class Boot:
    """The times of the first and last journal entry of a boot."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Sign:
    """PiTasker's last sign of life. `stopped`: PiTasker ended while the machine stayed on, so
    nothing is known about the time after it."""

    at: datetime
    stopped: bool


def offs(boots: Sequence[Boot], booted_at: datetime, sign: Sign | None) -> list[Stretch]:
    """When the machine was off: between the journal's boots. If the journal has only this boot,
    since the last sign of life.

    Between that sign and the next due one, the machine may have been on or off.
    """
    if len(boots) > 1:
        between = [Stretch(a.end, b.start, Cause.OFF) for a, b in pairwise(boots)]
        return [stretch for stretch in between if stretch.start < stretch.end]
    if sign is None or sign.stopped or sign.at + SIGN >= booted_at:
        return []
    return [
        Stretch(sign.at, sign.at + SIGN, Cause.UNSEEN),
        Stretch(sign.at, booted_at, Cause.OFF),
    ]


def correct_starts(
    boots: Sequence[Boot], jumps: Sequence[tuple[datetime, datetime]], booted_at: datetime
) -> list[Boot]:
    """Boots with their starts by a correct clock.

    A machine without a battery clock starts each boot at the time of its last shutdown, and its
    clock jumps when it reaches a time server. `jumps` are those in the log.
    """
    corrected = []
    for boot in boots[:-1]:
        start = boot.start
        for before, after in jumps:
            if timedelta(0) <= before - start < _FIRST_MINUTES:
                start = after - (before - start)
        corrected.append(Boot(start, boot.end))
    return corrected + [Boot(booted_at, boot.end) for boot in boots[-1:]]
