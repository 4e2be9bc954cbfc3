"""The charts: what is drawn, over which time, and with which labels."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pitasker_core.dashboard import charts, run_charts
from pitasker_core.runs.durations import Usual
from pitasker_core.runs.run_statistics import Hour, OfTask, Took
from pitasker_core.sync.operation_history import Counts, Day, Operation

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 3, 4)
LATE = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
"""Already the next day in Berlin."""
QUIET_DAY = Day(date(2026, 3, 3), success=3, partial=0, failed=1, median_ms=7.0)
HOUR = Hour(date(2026, 3, 3), 5, success=2, failed=1, missed=4, started=1)


def drawn(figure):
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize(
    "figure",
    [
        charts.per_day([QUIET_DAY], TODAY),
        charts.success_rate([QUIET_DAY], TODAY),
        run_charts.per_day([HOUR], TODAY),
    ],
)
def test_a_single_day_does_not_fill_the_chart(figure):
    first, last = figure.layout.xaxis.range
    assert (f"{first:%d %b %H:%M}", f"{last:%d %b %H:%M}") == ("25 Feb 12:00", "04 Mar 12:00")


def test_results_that_did_not_happen_are_not_in_the_legend():
    assert drawn(charts.per_day([QUIET_DAY], TODAY)).keys() == {"success", "failed"}
    hours = [HOUR, Hour(HOUR.day, 6, success=1, failed=0, missed=0, started=0)]
    bars = drawn(run_charts.per_day(hours, TODAY))
    assert {name: bar.y for name, bar in bars.items()} == {
        "success": (3,), "failed": (1,), "missed": (4,), "started": (1,),
    }  # fmt: skip
    assert drawn(run_charts.per_day([], TODAY)) == {}


def test_lines_go_on_until_now():
    counts = [Counts(LATE, {"synced": 2, "failed": 0}, entries=5, managed=2)]
    now = LATE + timedelta(hours=2)
    (line,) = charts.states(counts, now, BERLIN).data
    assert (line.name, line.y) == ("synced", (2, 2))
    assert list(line.x) == [LATE.astimezone(BERLIN), now.astimezone(BERLIN)]
    lines = drawn(charts.managed_entries(counts, now, BERLIN))
    assert {name: line.y for name, line in lines.items()} == {
        "managed": (2, 2),
        "unmanaged": (3, 3),
    }
    assert charts.states([], now, BERLIN).data == ()


def test_an_operation_is_at_its_time_here_with_the_median_of_its_day():
    values = dict.fromkeys(Operation.__dataclass_fields__, 0)
    values |= {"kind": "sync", "actor": "<b>pi</b>", "outcome": "success", "duration_ms": 4.0}
    operations = [Operation(**{**values, "started_at": LATE})]
    days = [QUIET_DAY, Day(TODAY, success=1, partial=0, failed=0, median_ms=4.0)]
    points, median = charts.durations(operations, days, BERLIN).data
    at = LATE.astimezone(BERLIN)
    assert points.customdata == (["sync", "&lt;b&gt;pi&lt;/b&gt;", "2026-03-04 00:30:00"],)
    assert list(zip(median.x, median.y, strict=True)) == [(at, 4.0), (at, 4.0), (at, None)]


def test_the_durations_of_runs_are_shown_with_what_is_usual():
    took = [
        Took(1, LATE, 2.0, "success", slow=False),
        Took(2, LATE, 9.0, "success", slow=True),
        Took(3, LATE, 1.0, "failed", slow=False),
    ]
    figure = run_charts.durations(took, Usual(low=1.5, median=2.0, high=3.0), BERLIN)
    assert {name: trace.y for name, trace in drawn(figure).items()} == {
        "success": (2.0,), "slow": (9.0,), "failed": (1.0,),
    }  # fmt: skip
    band, line = figure.layout.shapes
    assert (band.y0, band.y1, line.y0) == (1.5, 3.0, 2.0)
    first, last = figure.layout.xaxis.range
    assert last - first == timedelta(hours=1)


def test_shares_of_a_task_are_of_its_runs_and_misses():
    bars = drawn(run_charts.by_task([OfTask(7, "<i>Web</i>", success=6, failed=1, missed=3)]))
    assert [bars[name].x for name in ("success", "failed", "missed")] == [(0.6,), (0.1,), (0.3,)]
    assert bars["missed"].customdata == ("3 of 10",)
    assert bars["missed"].y == ("&lt;i&gt;Web&lt;/i&gt; (7)",)


def test_a_week_by_hours_counts_starts_and_no_misses():
    (field,) = run_charts.by_weekday([HOUR]).data
    tuesday = field.y.index("Tue")
    assert field.z[tuesday][5] == 4
    assert sum(count or 0 for row in field.z for count in row) == 4
