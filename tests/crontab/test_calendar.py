"""The days of a month on which a schedule runs, and the changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab.calendar import clock_notes, month_days, next_runs
from pitasker_core.crontab.doctor.clock_changes import find_clock_changes
from pitasker_core.crontab.schedule import Schedule, parse
from tests.crontab.test_describing import SCHEDULES

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
CHANGES = find_clock_changes(BERLIN, NEW_YEAR)


def days_of_runs(schedule: Schedule, year: int, month: int) -> set[date]:
    """Return the days of the next runs, computed day by day."""
    start = datetime(year, month, 1, tzinfo=BERLIN)
    days = set()
    while start.month == month:
        before = start.astimezone(UTC) - timedelta(minutes=1)
        runs = next_runs(schedule, before, BERLIN, 1)
        if not runs or (runs[0].year, runs[0].month) != (year, month):
            break
        days.add(runs[0].date())
        start = runs[0].replace(hour=0, minute=0, fold=0) + timedelta(days=1)
    return days


@settings(deadline=None, max_examples=30)
@given(SCHEDULES, st.sampled_from([(2027, 2), (2027, 3), (2027, 10), (2028, 2)]))
def test_the_days_of_a_month_are_those_of_the_next_runs(
    schedule: Schedule, month: tuple[int, int]
) -> None:
    changes = CHANGES if month[0] == 2027 else ()
    assert set(month_days(schedule, *month, changes)) == days_of_runs(schedule, *month)


def test_a_wildcard_job_of_the_skipped_hour_does_not_run_that_day() -> None:
    lost = date(2027, 3, 28)
    assert lost not in month_days(parse("*/30 2 * * *"), 2027, 3, CHANGES)
    assert lost in month_days(parse("30 2 * * *"), 2027, 3, CHANGES)
    assert lost in month_days(parse("*/30 2,5 * * *"), 2027, 3, CHANGES)


@pytest.mark.parametrize("text", ["@reboot", "0 0 31 2 *"])
def test_what_has_no_dates_runs_on_no_day(text: str) -> None:
    assert month_days(parse(text), 2027, 2) == ()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("30 2 * * *", ["On 28 March the clock skips 02:30, and cron runs it at 03:00."]),
        (
            "*/30 2 * * *",
            [
                "On 28 March the clock skips 02:00, and cron does not run it.",
                "On 31 October 02:00 comes twice, and cron runs it twice.",
            ],
        ),
        ("30 2 * * 1-5", []),
        ("30 4 * * *", []),
        ("30 * * * *", []),
        ("@reboot", []),
    ],
)
def test_a_time_that_is_skipped_or_repeated_has_a_note(text: str, sentences: list[str]) -> None:
    assert [note.text for note in clock_notes(parse(text), CHANGES)] == sentences
