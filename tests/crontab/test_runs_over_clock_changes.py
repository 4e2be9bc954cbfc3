"""The next runs agree with cron's main loop, over clock changes in many zones.

The model is the main loop of Debian's cron 3.0pl1 (cron.c; cronie's is the same): once a minute it
compares the local time with the time up to which it has run jobs, and looks for jobs of certain
local minutes, of one or both of its two kinds. A long search:
`EXAMPLES=20000 .venv/bin/python -m pytest tests/crontab/test_runs_over_clock_changes.py`.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.schedule import Schedule, parse

EXAMPLES = int(os.environ.get("EXAMPLES", "1000"))
"""The total number of schedules for the changes below."""

CHANGES = [
    ("Europe/Berlin", "2027-03-28T01:00"),
    ("Europe/Berlin", "2027-10-31T01:00"),
    ("America/New_York", "2027-03-14T07:00"),
    ("America/New_York", "2027-11-07T06:00"),
    ("Australia/Sydney", "2027-04-03T16:00"),
    ("Australia/Sydney", "2027-10-02T16:00"),
    ("Australia/Lord_Howe", "2027-04-03T15:00"),  # half an hour
    ("Australia/Lord_Howe", "2027-10-02T15:30"),
    ("America/Santiago", "2026-09-06T04:00"),  # at midnight
    ("America/Santiago", "2026-04-05T03:00"),
    ("Asia/Beirut", "2026-03-28T22:00"),
    ("Asia/Beirut", "2026-10-24T21:00"),
    ("Antarctica/Troll", "2027-03-28T01:00"),  # two hours
    ("Antarctica/Troll", "2027-10-31T01:00"),
    ("Antarctica/Casey", "2010-03-04T15:00"),  # three hours back
    ("Pacific/Apia", "2011-12-30T10:00"),  # a whole day forward
    ("Asia/Tokyo", "2027-03-28T01:00"),  # none
]
BEFORE, AFTER = timedelta(hours=14), timedelta(hours=30)
MOST_RUNS = 12


class Search(NamedTuple):
    """A search for jobs: its time, the local minute, and the kinds of jobs."""

    instant: datetime
    local: datetime
    wildcard: bool
    fixed: bool


@lru_cache(maxsize=32)
def cron_loop(zone: ZoneInfo, change: datetime) -> tuple[Search, ...]:
    """Return cron's searches from `BEFORE` a change until `AFTER` it."""
    return tuple(_cron_loop(zone, change - BEFORE, change + AFTER))


def _cron_loop(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Search]:
    minute = timedelta(minutes=1)
    virtual = start.astimezone(zone).replace(tzinfo=None)
    instant = start + minute
    while instant < end:
        local = instant.astimezone(zone).replace(tzinfo=None)
        behind = (local - virtual) // minute
        if 0 < behind <= 5:
            while virtual < local:
                virtual += minute
                yield Search(instant, virtual, True, True)
        elif 5 < behind <= 180:
            yield Search(instant, local, True, False)
            while virtual < local:
                virtual += minute
                yield Search(instant, virtual, False, True)
        elif -180 < behind <= 0:
            yield Search(instant, local, True, False)
        else:
            virtual = local
            yield Search(instant, local, True, True)
        instant += minute


def cron_starts(
    schedule: Schedule, searches: tuple[Search, ...], after: datetime
) -> list[datetime]:
    """Return the times after a time at which cron starts the job, without repeats."""
    minutes, hours = set(schedule.minutes), set(schedule.hours)
    runs: dict[datetime, None] = {}
    for search in searches:
        if len(runs) > MOST_RUNS:
            break
        local = search.local
        if local.minute not in minutes or local.hour not in hours or search.instant <= after:
            continue
        if not (search.wildcard if schedule.is_wildcard else search.fixed):
            continue
        day, weekday = local.day in schedule.days, local.isoweekday() % 7 in schedule.weekdays
        dates = day and weekday if schedule.both_must_match else day or weekday
        if dates and local.month in schedule.months:
            runs[search.instant] = None
    return list(runs)


def element(chance: random.Random, low: int, high: int) -> str:
    first, last = sorted(chance.choices(range(low, high + 1), k=2))
    step = chance.choice([1, 2, 3, 5, 7, 10, 15, 20, 30])
    return chance.choice(
        ["*", f"*/{step}", str(first), str(first), f"{first}-{last}", f"{first}-{last}/{step}"]
    )


def random_schedule(chance: random.Random, change: datetime) -> str:
    """Draw a schedule whose times are often near the change."""
    minute = element(chance, 0, 59)
    hour = chance.choice([element(chance, 0, 23), "0-4", "1,2,3", "2", "1", "23-23", "0", "*/2"])
    day = chance.choice(["*", "*", "*", "*/2", str(change.day), element(chance, 1, 31)])
    weekday = chance.choice(["*", "*", "*", "0", "6-7", "*/2", element(chance, 0, 6)])
    return f"{minute} {hour} {day} * {weekday}"


@pytest.mark.parametrize(("name", "at"), CHANGES, ids=[f"{name} {at}" for name, at in CHANGES])
def test_the_next_runs_are_those_of_crons_loop(name: str, at: str) -> None:
    zone, change = ZoneInfo(name), datetime.fromisoformat(at).replace(tzinfo=UTC)
    searches = cron_loop(zone, change)
    chance = random.Random(f"{name} {at}")
    for _ in range(EXAMPLES // len(CHANGES)):
        text = random_schedule(chance, change.astimezone(zone))
        schedule = parse(text)
        # A job that starts every minute must begin near the change to reach it.
        after = change - timedelta(minutes=chance.choice([13 * 60, 200, 70, 10, 5, -20]))
        expected = cron_starts(schedule, searches, after)[:MOST_RUNS]
        runs = next_runs(schedule, after, zone, len(expected) + 1)
        runs = [run.astimezone(UTC) for run in runs if run < change + AFTER]
        assert runs[: len(expected)] == expected, (text, after)
        assert len(expected) == MOST_RUNS or len(runs) == len(expected), (text, after)


@pytest.mark.parametrize(("name", "at"), CHANGES[:-1])
def test_each_change_is_one(name: str, at: str) -> None:
    zone, change = ZoneInfo(name), datetime.fromisoformat(at).replace(tzinfo=UTC)
    before = (change - timedelta(minutes=1)).astimezone(zone).utcoffset()
    assert before != change.astimezone(zone).utcoffset()
