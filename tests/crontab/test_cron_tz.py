"""The next runs of an entry with cronie's CRON_TZ, over changes of its clock and the system's.

The model is the main loop of cronie (cron.c), which matches such an entry by the clock of its own
zone, and leaves it out while it catches up with a jump of the system's clock.
"""

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from pitasker_core.crontab.calendar import EntryClock, last_run, next_runs
from pitasker_core.crontab.schedule import Schedule, parse
from tests.crontab.test_runs_over_clock_changes import CHANGES, MOST_RUNS, random_schedule

EXAMPLES = int(os.environ.get("EXAMPLES", "800"))
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "UTC"]
BEFORE, AFTER = timedelta(hours=14), timedelta(hours=30)
PAIRS = [(*change, zone) for change in CHANGES for zone in ZONES]


class Search(NamedTuple):
    """A minute in which cronie looks for entries with CRON_TZ, and for which kinds."""

    instant: datetime
    wildcard: bool
    fixed: bool


@lru_cache(maxsize=32)
def cronie_loop(machine: ZoneInfo, change: datetime) -> tuple[Search, ...]:
    return tuple(_cronie_loop(machine, change - BEFORE, change + AFTER))


def _cronie_loop(machine: ZoneInfo, start: datetime, end: datetime) -> Iterator[Search]:
    minute = timedelta(minutes=1)
    virtual = start.astimezone(machine).replace(tzinfo=None)
    instant = start + minute
    while instant < end:
        local = instant.astimezone(machine).replace(tzinfo=None)
        behind = (local - virtual) // minute
        # The minutes that are caught up belong to the old offset: only the last one counts.
        waits = -180 <= behind <= 0
        yield Search(instant, True, not waits)
        if not waits:
            virtual = local
        instant += minute


def cronie_starts(
    schedule: Schedule, searches: tuple[Search, ...], zone: ZoneInfo, after: datetime
) -> list[datetime]:
    minutes, hours = set(schedule.minutes), set(schedule.hours)
    runs = []
    for search in searches:
        if len(runs) > MOST_RUNS:
            break
        if search.instant <= after or not (
            search.wildcard if schedule.is_wildcard else search.fixed
        ):
            continue
        local = search.instant.astimezone(zone)
        day, weekday = local.day in schedule.days, local.isoweekday() % 7 in schedule.weekdays
        dates = day and weekday if schedule.both_must_match else day or weekday
        is_time = local.minute in minutes and local.hour in hours
        if dates and is_time and local.month in schedule.months:
            runs.append(search.instant)
    return runs


@pytest.mark.parametrize(("name", "at", "own"), PAIRS, ids=[" ".join(pair) for pair in PAIRS])
def test_the_next_runs_by_cron_tz_are_those_of_cronies_loop(name: str, at: str, own: str) -> None:
    machine, zone = ZoneInfo(name), ZoneInfo(own)
    change = datetime.fromisoformat(at).replace(tzinfo=UTC)
    searches = cronie_loop(machine, change)
    chance = random.Random(f"{name} {at} {own}")
    for _ in range(EXAMPLES // len(PAIRS) + 1):
        text = random_schedule(chance, change.astimezone(zone))
        schedule = parse(text)
        after = change - timedelta(minutes=chance.choice([13 * 60, 200, 70, 10, 5, -20]))
        expected = cronie_starts(schedule, searches, zone, after)[:MOST_RUNS]
        runs = next_runs(schedule, after, EntryClock(zone, machine), len(expected) + 1)
        runs = [run.astimezone(UTC) for run in runs if run < change + AFTER]
        assert runs[: len(expected)] == expected, (text, after)
        assert len(expected) == MOST_RUNS or len(runs) == len(expected), (text, after)


NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")


def first(text: str, after: str, clock: EntryClock | ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    return next_runs(parse(text), moment, clock, 1)[0].astimezone(UTC)


def test_a_time_that_the_own_zone_skips_is_lost() -> None:
    # Berlin skips 02:30 on 28 March; the system's zone alone would catch up at 03:00.
    clock = EntryClock(BERLIN, ZoneInfo("UTC"))
    assert first("30 2 * * *", "2027-03-27T12:00", clock) == datetime(
        2027, 3, 29, 0, 30, tzinfo=UTC
    )
    assert first("30 2 * * *", "2027-03-27T12:00", BERLIN) == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_a_fixed_time_in_the_hour_that_the_system_repeats_is_lost() -> None:
    # Berlin's clock goes back at 01:00 UTC on 31 October, so 10:30 in Tokyo falls in its wait.
    clock = EntryClock(ZoneInfo("Asia/Tokyo"), BERLIN)
    assert first("30 10 * * *", "2027-10-30T12:00", clock) == datetime(
        2027, 11, 1, 1, 30, tzinfo=UTC
    )
    assert first("*/30 10 * * *", "2027-10-30T12:00", clock) == datetime(
        2027, 10, 31, 1, 0, tzinfo=UTC
    )


def test_the_last_run_is_by_the_own_zone() -> None:
    moment = datetime(2027, 1, 15, 12, tzinfo=UTC)
    run = last_run(parse("0 9 * * *"), moment, EntryClock(NEW_YORK, BERLIN))
    assert run is not None
    assert run.astimezone(UTC) == datetime(2027, 1, 14, 14, tzinfo=UTC)
