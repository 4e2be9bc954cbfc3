"""Schedules in other time zones, and cronie's CRON_TZ."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.schedule import Dialect, Schedule, parse
from pitasker_core.crontab.zones import beside, find_zone, own_zone, translate
from tests.crontab.test_describing import SCHEDULES

BERLIN = ZoneInfo("Europe/Berlin")
TOKYO = ZoneInfo("Asia/Tokyo")
# None of the zones below has a clock change in the three weeks after this time.
NOW = datetime(2027, 6, 1, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("tokyo", "Asia/Tokyo"),
        ("New York", "America/New_York"),
        ("los_angeles", "America/Los_Angeles"),
        ("europe/berlin", "Europe/Berlin"),
        ("america/argentina/buenos_aires", "America/Argentina/Buenos_Aires"),
        ("buenos aires", "America/Argentina/Buenos_Aires"),
        ("utc", "UTC"),
        ("munich", "Europe/Berlin"),
    ],
)
def test_a_place_has_the_zone_of_its_clock(place: str, key: str) -> None:
    zone = find_zone(place)
    assert zone is not None
    assert zone.key == key


@pytest.mark.parametrize("place", ["summer", "", "../../etc/passwd", "x" * 1000, "/", "europe/"])
def test_what_is_no_place_has_no_zone(place: str) -> None:
    assert find_zone(place) is None


COUNT = 40
END = NOW + timedelta(days=21)


def starts(schedule: Schedule, zone: ZoneInfo) -> set[datetime]:
    return {run for run in next_runs(schedule, NOW, zone, COUNT) if run < END}


@settings(deadline=None, max_examples=25)
@given(
    SCHEDULES.filter(lambda schedule: not schedule.never_runs),
    st.sampled_from(["Asia/Tokyo", "Asia/Kolkata", "America/New_York", "Pacific/Kiritimati"]),
)
def test_a_translated_schedule_runs_at_the_same_moments(schedule: Schedule, name: str) -> None:
    result = translate(schedule, ZoneInfo(name), BERLIN, NOW)
    if not result.schedules:
        assert result.reason
        return
    expected = starts(schedule, ZoneInfo(name))
    runs = set().union(*(starts(parse(text), BERLIN) for text in result.schedules))
    last = max(expected) if len(expected) == COUNT else END
    assert {run for run in runs if run <= last} == expected


def test_days_of_another_month_are_refused_with_the_reason() -> None:
    result = translate(parse("0 3 1 * *"), TOKYO, BERLIN, NOW)
    assert (result.schedules, "another month" in result.reason) == ((), True)


def test_a_change_of_one_clock_is_a_caveat_with_its_day_and_time() -> None:
    [caveat] = translate(parse("0 9 * * *"), TOKYO, BERLIN, NOW).caveats
    assert caveat.startswith(
        "From 31 October 2027 on the clocks differ by another amount: 09:00 becomes 10:00"
    )


def test_zones_that_change_together_need_no_caveat() -> None:
    assert translate(parse("0 9 * * *"), ZoneInfo("Europe/London"), BERLIN, NOW).caveats == ()


def test_cron_tz_counts_for_cronie_only() -> None:
    settings_above = {"CRON_TZ": "Asia/Tokyo"}
    assert own_zone(settings_above, Dialect.CRONIE) == TOKYO
    assert own_zone(settings_above, Dialect.DEBIAN) is None
    assert own_zone({}, Dialect.CRONIE) is None
    assert own_zone({"CRON_TZ": "../x"}, Dialect.CRONIE) == ZoneInfo("UTC")


def test_another_clock_is_shown_only_where_it_differs() -> None:
    run = datetime(2027, 6, 1, 12, 0, tzinfo=BERLIN)
    assert beside(run, TOKYO) == datetime(2027, 6, 1, 19, 0, tzinfo=TOKYO)
    assert beside(run, ZoneInfo("Europe/Paris")) is None
    assert beside(run, None) is None
