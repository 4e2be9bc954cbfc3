"""The days of the next weeks on which a schedule has runs."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.schedule import Schedule, parse
from pitasker_core.dashboard.schedule_calendar import SHOWN_DAYS, html, read_calendar, sentence
from tests.crontab.test_describing import SCHEDULES

TODAY = date(2026, 11, 27)


def calendar(text, first=TODAY, today=TODAY):
    return read_calendar(parse(text), today, first)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 2 * * *", "Once a day, every day."),
        ("0 2,14 * * *", "Twice a day, every day."),
        ("*/5 * * * *", "288 times a day, every day."),
        (
            "0 0 13 * 5",
            "Once a day on 6 days of the next 31: 27 November, 4, 11, 13, 18 and 25 December.",
        ),
        ("0 9 * * 1-5", "Once a day on 21 days of the next 31."),
        ("0 9 24 12 *", "Once a day on 1 day of the next 31: 24 December."),
        ("0 9 1 6 *", "No run in the next 31 days."),
    ],
)
def test_the_calendar_is_said_in_words(text, words):
    assert sentence(calendar(text)) == words


@pytest.mark.parametrize("text", ["@reboot", "0 0 30 2 *"])
def test_what_has_no_days_has_no_calendar(text):
    assert calendar(text) is None


def test_today_counts_only_while_a_run_is_left():
    assert calendar("0 2 * * *", first=TODAY + timedelta(days=1)).days == {
        TODAY + timedelta(days=number) for number in range(1, SHOWN_DAYS)
    }


@given(SCHEDULES, st.dates(date(2026, 1, 1), date(2028, 12, 31)))
def test_the_days_are_those_of_the_next_runs(schedule: Schedule, today: date):
    shown = read_calendar(schedule, today, None)
    if shown is None:
        return
    utc = ZoneInfo("UTC")
    start = datetime(today.year, today.month, today.day, tzinfo=utc) - timedelta(seconds=1)
    runs = next_runs(schedule, start, utc, 1)
    first = min(shown.days, default=None)
    inside = [run.date() for run in runs if run.date() < today + timedelta(days=SHOWN_DAYS)]
    assert ([first] if first else []) == inside


def test_the_table_has_every_day_once_below_its_weekday():
    text = html(calendar("0 0 13 * 5"))
    rows = re.findall("<tr>(.*?)</tr>", text)
    assert re.findall('abbr="([A-Z]\\w+)', rows[0])[0] == "Monday"
    cells = [re.findall("<td>(.*?)</td>", row) for row in rows[1:]]
    assert all(len(week) == 7 for week in cells)
    assert cells[0][:4] == [""] * 4
    numbers = [int(n) for week in cells for n in re.findall(r"<(?:b|span)>(\d+)", "".join(week))]
    assert numbers == [27, 28, 29, 30, *range(1, 28)]
    assert text.count("has runs") == 6
