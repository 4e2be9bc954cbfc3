"""The timeline: bars, shaded periods, and edits that spread a crowded minute."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pitasker_core import tasks
from pitasker_core.dashboard import timeline
from pitasker_core.dashboard.timeline import Bar
from pitasker_core.runs.missed.detection import Cause, Stretch
from pitasker_core.runs.spans import Span
from tests.helpers.examples import create
from tests.helpers.pages import said

NOW = datetime(2026, 11, 26, 14, 20, tzinfo=UTC)
START = NOW - timedelta(hours=12)
END = NOW + timedelta(hours=12)
ZONE = ZoneInfo("Europe/Berlin")
OFF = "the machine was off from 01:30 to 07:40"


def missed_span(at, note=OFF, task=1):
    return Span(1, task, at, at, "missed", 1, note, None)


def test_the_time_in_which_the_machine_was_off_is_known_from_what_was_missed():
    spans = [missed_span(NOW.replace(hour=1, minute=0)), missed_span(NOW.replace(hour=2, minute=0))]
    assert timeline.off_periods(spans, START, ZONE) == [
        Stretch(NOW.replace(hour=0, minute=30), NOW.replace(hour=6, minute=40), Cause.OFF)
    ]


def test_the_same_hours_on_two_days_are_two_periods():
    spans = [missed_span(NOW.replace(day=day, hour=2, minute=0)) for day in (24, 25)]
    first, second = timeline.off_periods(spans, NOW - timedelta(days=7), ZONE)
    assert second.start - first.start == timedelta(days=1)


def test_a_run_that_was_missed_for_another_reason_shades_nothing():
    spans = [missed_span(NOW, "cron was not running"), missed_span(NOW, "off from 01:30 to 07:40")]
    assert timeline.off_periods(spans, START, ZONE) == []


def test_a_shaded_period_begins_with_the_chart_and_says_when_it_ended():
    bars = [Bar("Backup", NOW, NOW, "success")]
    off = [Stretch(START - timedelta(hours=5), START + timedelta(hours=5), Cause.OFF)]
    chart = timeline.figure(bars, START, NOW, END, ZONE, 10, off)
    (shape,) = [shape for shape in chart.layout.shapes if shape.type == "rect"]
    assert (shape.x0, shape.x1) == (START, off[0].end)
    assert "machine off until 08:20" in [note.text for note in chart.layout.annotations]


def test_a_change_of_the_clock_is_marked_at_its_hour():
    autumn = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    start, end = autumn - timedelta(days=2, minutes=20), autumn + timedelta(days=2)
    assert timeline.clock_changes(start, end, ZONE) == [(autumn, "clock -1 h")]
    spring = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert timeline.clock_changes(spring - timedelta(hours=5), spring, ZONE) == [
        (spring, "clock +1 h")
    ]
    assert timeline.clock_changes(START, END, ZONE) == []
    chart = timeline.figure([Bar("A", autumn, autumn, "success")], start, autumn, end, ZONE, 10)
    assert "clock -1 h" in [note.text for note in chart.layout.annotations]


def test_an_unmanaged_entry_has_the_name_of_its_program_and_stays_apart_from_others():
    names = ("/home/pi/bin/clean.sh --all", "/opt/clean.sh --all", "Backup /srv")
    bars = [Bar(name, NOW, NOW, "success") for name in names]
    chart = timeline.figure(bars, START, NOW, END, ZONE, 10)
    shown = chart.layout.yaxis.categoryarray
    assert {text.strip() for text in shown} == {"clean.sh --all", "Backup /srv"}
    assert len(set(shown)) == 3


def test_tasks_of_one_name_have_rows_of_their_own(open_page, environment):
    tars = [create(environment, "tar", schedule) for schedule in ("0 2 * * *", "0 3 * * *")]
    create(environment, "Backup", "0 4 * * *")
    [chart] = [json.loads(part.proto.spec) for part in open_page("timeline").get("plotly_chart")]
    assert sorted(chart["layout"]["yaxis"]["categoryarray"]) == [
        "Backup",
        *(f"tar ({task.id})" for task in tars),
    ]


def test_a_spread_is_reviewed_and_applied_like_any_edit(open_page, environment):
    made = [create(environment, name, "0 2 * * *") for name in ("One", "Two", "Three")]
    app = open_page("timeline")
    next(button for button in app.button if button.label == "Spread").click().run()
    assert "2 changes in 2 tasks" in said(app)
    assert {tasks.get(environment, task.id).schedule for task in made} == {"0 2 * * *"}
    next(button for button in app.button if button.label == "Apply").click().run()
    assert not app.exception
    after = [tasks.get(environment, task.id).schedule for task in made]
    assert sorted(after) == ["0 2 * * *", "10 2 * * *", "20 2 * * *"]
