"""The calendar of the next weeks, read back by a calendar library."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import next_runs
from pitasker_core.formats import icalendar_file
from pitasker_core.formats.icalendar_file import write_calendar
from pitasker_core.formats.record import TaskRecord

NOW = datetime(2026, 3, 20, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def task(schedule="0 2 * * *", name="Backup", command="/bin/secret", **fields):
    return TaskRecord(name, schedule, command, **fields)


def events(*tasks, **options):
    data, _ = write_calendar(tasks, NOW, BERLIN, **options)
    return Calendar.from_ical(data).walk("VEVENT")


def notes(*tasks, **options):
    return [str(note) for note in write_calendar(tasks, NOW, BERLIN, **options)[1]]


def test_each_run_is_an_event_at_its_time_also_when_the_clock_changes():
    starts = [event["dtstart"].dt for event in events(task("30 2 * * *"), weeks=2)]
    schedule = schedules.parse("30 2 * * *")
    assert starts == next_runs(schedule, NOW, BERLIN, 14)
    assert datetime(2026, 3, 29, 1, 0, tzinfo=UTC) in starts  # 2:30 is skipped on this day


def test_an_event_says_what_and_when_and_never_the_command():
    data, _ = write_calendar([task()], NOW, BERLIN)
    event = Calendar.from_ical(data).walk("VEVENT")[0]
    assert (event["summary"], event["description"]) == ("Backup", "Every day at 02:00")
    assert b"secret" not in data


def test_a_task_that_runs_often_has_one_event_a_day():
    days = events(task("*/5 9-17 * * 1-5"), weeks=1)
    assert [event["dtstart"].dt for event in days] == [
        date(2026, 3, day) for day in (20, 23, 24, 25, 26)
    ]
    assert "each such day is one event" in notes(task("*/5 9-17 * * 1-5"))[0]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (task(paused=True), "cron does not run it now"),
        (task(system_managed=False), "cron does not run it now"),
        (task("@reboot"), "it runs at system start"),
        (task("60 * * * *"), "minute must be 0 to 59"),
    ],
)
def test_a_task_without_known_times_is_left_out_and_named(record, why):
    assert events(record) == []
    assert notes(record) == [f"“Backup”: It is left out: {why}."]


@pytest.mark.slow
def test_a_calendar_has_a_limit_and_says_what_it_leaves_out(monkeypatch):
    monkeypatch.setattr(icalendar_file, "MOST_EVENTS", 100)
    tasks = [task("0 */2 * * *", name="Twelve"), task("0 */3 * * *", name="Eight"), task()]
    assert len(events(*tasks, weeks=1)) == 12 * 7 + 7
    assert notes(*tasks, weeks=1) == ["“Eight”: It is left out: a calendar has at most 100 events."]


def test_events_have_ids_of_their_own_that_stay():
    uids = [event["uid"] for event in events(task(), task(), task(name="Other"))]
    assert len(set(uids)) == len(uids) == 84
    assert uids == [event["uid"] for event in events(task(), task(), task(name="Other"))]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_any_name_is_one_text_of_the_calendar(name):
    data, _ = write_calendar([task(name=name)], NOW, UTC, weeks=1)
    events = Calendar.from_ical(data).walk("VEVENT")
    assert {str(event["summary"]) for event in events} == {name}
    assert data.count(b"\r\nSUMMARY:") == len(events) == 7


def test_a_yearly_task_is_found_and_one_beyond_the_weeks_is_not():
    assert len(events(task("0 0 1 4 *"))) == 1
    assert events(task("0 0 1 1 *")) == []
    assert NOW + timedelta(weeks=4) < datetime(2026, 5, 1, tzinfo=UTC)
