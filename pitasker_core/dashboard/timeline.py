"""Past and planned runs as bars in time, with a row per task. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from pitasker_core.base.text import visible
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import Clock, next_runs
from pitasker_core.crontab.doctor.clock_changes import find_clock_changes
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule, Schedule
from pitasker_core.dashboard.charts import label
from pitasker_core.dashboard.times import lasted
from pitasker_core.runs.missed.detection import Cause, Stretch, read_period
from pitasker_core.runs.model import RunState
from pitasker_core.runs.spans import Span

PLANNED = "planned"

COLORS: dict[str, str] = {
    RunState.SUCCESS: "#2f9e6e",
    RunState.FAILED: "#c2313b",
    RunState.MISSED: "#c77d14",
    RunState.RUNNING: "#3b7cc4",
    RunState.STARTED: "#8a9491",
    PLANNED: "#87948f",
}
"""The colour of each state, readable on light and dark."""

_BANDS = 60
"""The number of bars that fit side by side in a window. Closer bars are joined to a band."""

_MOST_PLANNED = 60
"""The maximum number of planned runs with a bar each. More runs become one band."""

_GREY = COLORS[RunState.STARTED]

_MOST_OFF = 20
"""The maximum number of shaded periods."""


@dataclass(frozen=True)
class Bar:
    """A run, or several close runs with the same state."""

    row: str
    start: datetime
    end: datetime
    state: str
    count: int = 1
    run: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Planned:
    """The name of a row, the schedule of its future runs, and the clock by which cron reads it."""

    row: str
    schedule: str
    clock: Clock


def row_names(names: Mapping[int, str]) -> dict[int, str]:
    """Return the name of each task's row. Tasks with the same name have their numbers in it."""
    times = Counter(names.values())
    return {id: f"{name} ({id})" if times[name] > 1 else name for id, name in names.items()}


def past(
    spans: Iterable[Span], names: Mapping[int, str], start: datetime, now: datetime
) -> list[Bar]:
    """Return the bars of past runs. Close bars with the same state are joined."""
    gap = 2 * (now - start) / _BANDS
    bars: dict[str, list[Bar]] = {}
    for span in spans:
        row = names.get(span.task) if span.task else (span.command or "")
        if not row:
            continue
        end = span.ended_at or (now if span.state == RunState.RUNNING else span.started_at)
        bar = Bar(row, span.started_at, end, span.state, span.missed or 1, span.id, span.note)
        own = bars.setdefault(row, [])
        if own and own[-1].state == bar.state and bar.start - own[-1].end <= gap:
            last = own[-1]
            count, until = last.count + bar.count, max(last.end, bar.end)
            own[-1] = replace(last, end=until, count=count, run=None)
        else:
            own.append(bar)
    return [bar for own in bars.values() for bar in own]


def off_periods(spans: Iterable[Span], start: datetime, zone: ZoneInfo) -> list[Stretch]:
    """Return when the machine was off or asleep since `start`, oldest first.

    Known from the notes of missed runs, so only periods in which a run was missed.
    """
    inside = {
        (span.note, span.started_at.astimezone(zone).date()): span.started_at
        for span in spans
        if span.state == RunState.MISSED
    }
    periods = [read_period(note, at, zone) for (note, _), at in inside.items()]
    seen = {period for period in periods if period and period.end > start}
    return sorted(seen, key=lambda period: period.start)[-_MOST_OFF:]


def clock_changes(start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[datetime, str]]:
    """Return when the zone's clock jumps, with words such as "clock +1 h"."""
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    marks = []
    for change in find_clock_changes(zone, midnight):
        hours = (change.end - change.start) / (60 if change.is_forward else -60)
        marks.append((change.instant(zone), f"clock {hours:+g} h"))
    return [(at, words) for at, words in marks if start < at <= end]


def future(planned: Iterable[Planned], now: datetime, end: datetime, dialect: Dialect) -> list[Bar]:
    """Return the bars of planned runs."""
    bars = []

    @cache  # many tasks have the same schedule
    def runs(schedule: Schedule, clock: Clock) -> list[datetime]:
        return next_runs(schedule, now, clock, _MOST_PLANNED + 1, end)

    for entry in planned:
        try:
            schedule = schedules.parse(entry.schedule, dialect)
        except InvalidSchedule:
            continue
        inside = runs(schedule, entry.clock)
        if len(inside) > _MOST_PLANNED // 2:
            words = schedules.describe(schedule)
            bars.append(Bar(entry.row, inside[0], end, PLANNED, len(inside), note=words))
        else:
            bars += [Bar(entry.row, run, run, PLANNED) for run in inside]
    return bars


def rows(bars: Sequence[Bar], most: int) -> list[str]:
    """Return the rows to draw: failed, running and missed ones first, then by name."""
    urgent: dict[str, int] = {RunState.FAILED: 0, RunState.RUNNING: 1, RunState.MISSED: 2}
    rank: dict[str, int] = {}
    for bar in bars:
        rank[bar.row] = min(rank.get(bar.row, 9), urgent.get(bar.state, 3))
    return sorted(rank, key=lambda row: (rank[row], row.casefold()))[:most]


def hover(bar: Bar, zone: ZoneInfo) -> str:
    """Return the text shown while the pointer is on a bar."""
    start, end = bar.start.astimezone(zone), bar.end.astimezone(zone)
    if bar.count > 1 and bar.state == PLANNED:
        text = f"from {start:%H:%M} · {bar.note}"
    elif bar.count > 1:
        text = f"{start:%H:%M}–{end:%H:%M} · {bar.count} × {bar.state}"
    else:
        took = f" · {lasted(bar.end - bar.start)}" if bar.end > bar.start else ""
        text = f"{start:%a %H:%M} · {bar.state}{took}"
        if bar.note and bar.state != PLANNED:
            text += f" · {bar.note}"
    return f"{label(bar.row)}<br>{label(text)}"


def figure(
    bars: Sequence[Bar],
    start: datetime,
    now: datetime,
    end: datetime,
    zone: ZoneInfo,
    most: int,
    off: Sequence[Stretch] = (),
) -> Any:
    """Draw the chart, with the periods `off` shaded. Its height depends on the number of rows."""
    import plotly.graph_objects as go

    order = rows(bars, most)
    names = _short(order)
    chart = go.Figure()
    least = (end - start) / 220
    for state, color in COLORS.items():
        group = [bar for bar in bars if bar.state == state and bar.row in names]
        if not group:
            continue
        chart.add_bar(
            y=[names[bar.row] for bar in group],
            base=[max(bar.start, start).astimezone(zone) for bar in group],
            x=[_milliseconds(bar, start, least) for bar in group],
            orientation="h",
            width=0.55,
            name=state.capitalize(),
            marker={
                "color": color,
                "cornerradius": 3,
                "line": {"color": color, "width": 1 if state == PLANNED else 0},
                "pattern": {"shape": "/" if state == PLANNED else "", "fgopacity": 0.5},
            },
            customdata=[[bar.run] for bar in group],
            hovertext=[hover(bar, zone) for bar in group],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    for period in off:
        _shade(chart, period, start, end, zone)
    for at, words in clock_changes(start, end, zone):
        chart.add_vline(x=at.astimezone(zone), line={"color": _GREY, "width": 1, "dash": "dot"})
        chart.add_annotation(
            x=at.astimezone(zone),
            y=0,
            yref="paper",
            yanchor="bottom",
            text=words,
            showarrow=False,
            font={"size": 11},
        )
    now_color = COLORS[RunState.FAILED]
    chart.add_vline(x=now.astimezone(zone), line={"color": now_color, "width": 1.5})
    chart.add_annotation(
        x=now.astimezone(zone),
        y=1.0,
        yref="paper",
        yanchor="bottom",
        yshift=13,  # above the words for a time when the machine was off
        text="now",
        showarrow=False,
        font={"size": 11, "color": now_color},
    )
    chart.update_layout(
        height=104 + 30 * max(len(order), 2),
        barmode="overlay",
        margin={"l": 0, "r": 0, "t": 33, "b": 0},
        legend={
            "orientation": "h",
            # Below the axis: above it are the notes of the times.
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 1,
            "xanchor": "right",
        },
        xaxis={
            "type": "date",
            "range": [start.astimezone(zone), end.astimezone(zone)],
            "tickformatstops": [{"dtickrange": [None, None], "value": "%H:%M\n%a %d %b"}],
            "fixedrange": True,
        },
        yaxis={
            "categoryorder": "array",
            "categoryarray": [names[row] for row in reversed(order)],
            "ticksuffix": "  ",
            "fixedrange": True,
        },
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return chart


def _shade(chart: Any, period: Stretch, start: datetime, end: datetime, zone: ZoneInfo) -> None:
    """Shade the time in which the machine was off, and name it where there is room."""
    begin = max(period.start, start)
    chart.add_shape(
        type="rect",
        x0=begin.astimezone(zone),
        x1=period.end.astimezone(zone),
        y0=0,
        y1=1,
        yref="paper",
        layer="below",
        line={"width": 0},
        fillcolor="rgba(217, 138, 43, 0.12)",
    )
    if period.end - begin < (end - start) / 8:
        return
    state = "off" if period.cause is Cause.OFF else "asleep"
    chart.add_annotation(
        x=begin.astimezone(zone),
        xanchor="left",
        y=1,
        yref="paper",
        yanchor="bottom",
        text=f"machine {state} until {period.end.astimezone(zone):%H:%M}",
        showarrow=False,
        font={"size": 11},
    )


def _milliseconds(bar: Bar, start: datetime, least: timedelta) -> float:
    return max(bar.end - max(bar.start, start), least).total_seconds() * 1000


def _short(names: Sequence[str]) -> dict[str, str]:
    """Return short names for the axis, which stay different from each other."""
    short: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        # Of an unmanaged entry's command, the folder of its program says least.
        text = re.sub(r"^/\S*/(?=\S)", "", visible(name))
        text = label(text if len(text) <= 28 else f"{text[:27]}…")
        while text in taken:
            text += " "
        taken.add(text)
        short[name] = text
    return short
