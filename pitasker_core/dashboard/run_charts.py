"""The charts of runs as Plotly figures. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pitasker_core.dashboard.charts import OUTCOMES, blank, by_day, label
from pitasker_core.runs.durations import Usual
from pitasker_core.runs.model import RunState
from pitasker_core.runs.run_statistics import Hour, OfTask, Took
from pitasker_core.sync.store import Outcome

COLORS: dict[str, str] = {
    RunState.SUCCESS: OUTCOMES[Outcome.SUCCESS],
    RunState.FAILED: OUTCOMES[Outcome.FAILED],
    RunState.MISSED: OUTCOMES[Outcome.PARTIAL],
    RunState.STARTED: "#84919f",
}
_NOTHING = "rgba(127,127,127,0.13)"

_DAYS_BY_HOUR = 21
"""A calendar of at most this many days shows hours. A longer calendar shows weeks."""


def durations(took: Sequence[Took], usual: Usual | None, zone: ZoneInfo) -> Any:
    """Draw the duration of each run, the usual median, and the band of 80 % of usual runs."""
    drawn = blank("seconds")
    well = [run for run in took if run.state == RunState.SUCCESS]
    for name, runs in (
        ("success", [run for run in well if not run.slow]),
        ("slow", [run for run in well if run.slow]),
        ("failed", [run for run in took if run.state == RunState.FAILED]),
    ):
        if runs:
            drawn.add_scatter(
                x=[run.started_at.astimezone(zone) for run in runs],
                y=[run.seconds for run in runs],
                mode="markers",
                name=name,
                marker={"color": COLORS.get(name, OUTCOMES[Outcome.PARTIAL]), "size": 6},
                customdata=[
                    [run.id, f"{run.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"] for run in runs
                ],
                hovertemplate="%{customdata[1]}<br>%{y:.2f} s<br>run %{customdata[0]}"
                "<extra></extra>",
            )
    if took:
        # Plotly would draw a single run on an axis of milliseconds.
        first, last = (run.started_at.astimezone(zone) for run in (took[0], took[-1]))
        margin = max((last - first) / 40, timedelta(minutes=30))
        drawn.update_xaxes(range=[first - margin, last + margin])
    if usual and took:
        drawn.add_hrect(
            y0=usual.low,
            y1=usual.high,
            fillcolor=COLORS[RunState.SUCCESS],
            opacity=0.15,
            line_width=0,
        )
        drawn.add_hline(y=usual.median, line={"color": "#7d8a99", "dash": "dot", "width": 1})
    return drawn


def per_day(hours: Sequence[Hour], today: date) -> Any:
    """Draw the number of runs per day, by result."""
    drawn = blank("runs")
    days = _by_day(hours)
    for name, place in _PLACES.items():
        numbers = [counts[place] for counts in days.values()]
        if any(numbers):
            drawn.add_bar(x=list(days), y=numbers, name=name, marker={"color": COLORS[name]})
    drawn.update_layout(barmode="stack", bargap=0.3)
    return by_day(drawn, days, today)


def by_task(tasks: Sequence[OfTask]) -> Any:
    """Draw the shares of successful, failed and missed runs of each task."""
    drawn = blank("")
    names = [f"{label(task.name[:40])} ({task.task})" for task in tasks]
    totals = [task.success + task.failed + task.missed for task in tasks]
    for name in (RunState.SUCCESS, RunState.FAILED, RunState.MISSED):
        numbers = [getattr(task, name) for task in tasks]
        drawn.add_bar(
            y=names,
            x=[number / total for number, total in zip(numbers, totals, strict=True)],
            customdata=[
                f"{number} of {total}" for number, total in zip(numbers, totals, strict=True)
            ],
            name=name,
            orientation="h",
            marker={"color": COLORS[name]},
            hovertemplate=f"%{{y}}<br>{name}: %{{customdata}}<extra></extra>",
        )
    drawn.update_layout(
        barmode="stack",
        height=90 + 26 * len(tasks),
        margin={"t": 40},
        legend={"y": 1, "yanchor": "bottom", "traceorder": "normal"},
    )
    drawn.update_xaxes(tickformat=".0%", range=[0, 1])
    drawn.update_yaxes(autorange="reversed", title=None)
    return drawn


def calendar(hours: Sequence[Hour], today: date) -> Any:
    """Draw results by time: days by hours, or weeks by weekdays for a longer period."""
    if not hours:
        return blank("")
    first = hours[0].day
    if (today - first).days < _DAYS_BY_HOUR:
        days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
        cells = {(hour.day, hour.hour): _counts(hour) for hour in hours}
        rows = [f"{day:%a %d %b}" for day in days]
        return _heat(
            [f"{hour:02}" for hour in range(24)],
            rows,
            [[cells.get((day, hour)) for hour in range(24)] for day in days],
            [[f"{row}, {hour:02}:00" for hour in range(24)] for row in rows],
        )
    by_day = _by_day(hours)
    monday = first - timedelta(days=first.weekday())
    weeks = [monday + timedelta(days=7 * n) for n in range((today - monday).days // 7 + 1)]
    table = [[week + timedelta(days=n) for week in weeks] for n in range(7)]
    return _heat(
        [f"{week:%d %b %Y}" for week in weeks],
        [f"{day[0]:%a}" for day in table],
        [[by_day.get(day) for day in row] for row in table],
        [[f"{day:%a %d %b %Y}" for day in row] for row in table],
    )


def by_weekday(hours: Sequence[Hour]) -> Any:
    """Draw the number of starts on each weekday and hour."""
    starts: dict[tuple[int, int], int] = defaultdict(int)
    for hour in hours:
        count = hour.success + hour.failed + hour.started
        starts[hour.day.weekday(), hour.hour] += count
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    drawn = blank("")
    drawn.add_heatmap(
        x=[f"{hour:02}" for hour in range(24)],
        y=list(days),
        z=[[starts[day, hour] or None for hour in range(24)] for day in range(7)],
        colorscale=[[0, "#cfe8de"], [1, "#1f6f54"]],
        xgap=2,
        ygap=2,
        showscale=False,
        hovertemplate="%{y} %{x}:00: %{z} starts<extra></extra>",
    )
    return _as_fields(drawn, 230)


_PLACES = {
    state: place
    for place, state in enumerate(
        (RunState.SUCCESS, RunState.FAILED, RunState.MISSED, RunState.STARTED)
    )
}


def _counts(hour: Hour) -> list[int]:
    return [getattr(hour, state) for state in _PLACES]


def _by_day(hours: Sequence[Hour]) -> dict[date, list[int]]:
    days: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for hour in hours:
        days[hour.day] = [a + b for a, b in zip(days[hour.day], _counts(hour), strict=True)]
    return dict(days)


def _heat(
    across: list[str],
    down: list[str],
    cells: list[list[list[int] | None]],
    labels: list[list[str]],
) -> Any:
    """Draw a field for each time in the colour of its worst result."""
    order = (RunState.STARTED, RunState.SUCCESS, RunState.MISSED, RunState.FAILED)
    scale: list[list[Any]] = [[0, _NOTHING], [0.2, _NOTHING]]
    for n, name in enumerate(order, 1):
        scale += [[n / 5, COLORS[name]], [(n + 1) / 5, COLORS[name]]]
    drawn = blank("")
    drawn.add_heatmap(
        x=across,
        y=down,
        z=[[_worst(counts, order) for counts in row] for row in cells],
        customdata=[
            [f"{name}: {_summary(counts)}" for name, counts in zip(names, row, strict=True)]
            for names, row in zip(labels, cells, strict=True)
        ],
        colorscale=scale,
        zmin=-0.5,
        zmax=4.5,
        xgap=2,
        ygap=2,
        showscale=False,
        hovertemplate="%{customdata}<extra></extra>",
    )
    return _as_fields(drawn, max(200, 60 + 24 * len(down)))


def _as_fields(drawn: Any, height: int) -> Any:
    drawn.update_layout(height=height)
    drawn.update_xaxes(type="category", showgrid=False)
    drawn.update_yaxes(type="category", autorange="reversed", showgrid=False, title=None)
    return drawn


def _worst(counts: list[int] | None, order: Sequence[RunState]) -> int:
    return max(
        (n for n, name in enumerate(order, 1) if counts and counts[_PLACES[name]]), default=0
    )


def _summary(counts: list[int] | None) -> str:
    parts = [
        f"{counts[place]} {name}" for name, place in _PLACES.items() if counts and counts[place]
    ]
    return ", ".join(parts) or "nothing"
