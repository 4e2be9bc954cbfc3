"""The jumps of a zone's clock in the next twelve months. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from pitasker_core.crontab.doctor.facts import ClockChange

_DAYS = 366


@lru_cache(maxsize=64)
def find_clock_changes(zone: tzinfo, since: datetime) -> tuple[ClockChange, ...]:
    """The changes of a zone in the year after a moment, which is aware."""
    start = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    changes = []
    for number in range(_DAYS):
        early, late = start + timedelta(days=number), start + timedelta(days=number + 1)
        if _offset(zone, early) != _offset(zone, late):
            changes.append(_change(zone, early, late))
    return tuple(changes)


def _change(zone: tzinfo, early: datetime, late: datetime) -> ClockChange:
    """The change between two moments, found to the minute by halving."""
    before = _offset(zone, early)
    while late - early > timedelta(minutes=1):
        middle = early + timedelta(minutes=(late - early) // timedelta(minutes=2))
        if _offset(zone, middle) == before:
            early = middle
        else:
            late = middle
    walls = [(late + offset).replace(tzinfo=None) for offset in (before, _offset(zone, late))]
    first, last = sorted(walls)
    midnight = first.replace(hour=0, minute=0)
    return ClockChange(
        first.date(),
        (first - midnight) // timedelta(minutes=1),
        (last - midnight) // timedelta(minutes=1),
        is_forward=walls[0] < walls[1],
    )


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)
