"""The charts of the Sync page as Plotly figures. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from pitasker_core.base.text import visible
from pitasker_core.sync.operation_history import Counts, Day, Operation
from pitasker_core.sync.store import Outcome

_DAY = 86_400_000
"""A day in milliseconds, Plotly's unit of time."""

OUTCOMES = {
    Outcome.SUCCESS: "#2e9d7b",
    Outcome.PARTIAL: "#c77d14",
    Outcome.FAILED: "#d0483b",
}

STATES = {
    "synced": "#2e9d7b",
    "paused": "#7d8a99",
    "pending": "#4a90d9",
    "conflict": "#c77d14",
    "failed": "#d0483b",
    "database only": "#8c80ad",
}


def per_day(days: Sequence[Day], today: date) -> Any:
    """Draw the number of operations per day, by outcome."""
    figure = blank("operations")
    for outcome, color in OUTCOMES.items():
        numbers = [getattr(day, outcome) for day in days]
        if any(numbers):
            figure.add_bar(
                x=[day.day for day in days],
                y=numbers,
                name=outcome,
                marker={"color": color},
                width=0.7 * _DAY,
            )
    figure.update_layout(barmode="stack")
    return by_day(figure, [day.day for day in days], today)


def durations(operations: Sequence[Operation], days: Sequence[Day], zone: ZoneInfo) -> Any:
    """Draw the duration of each operation at its start, with each day's median."""
    figure = blank("milliseconds")
    for outcome, color in OUTCOMES.items():
        group = [operation for operation in operations if operation.outcome == outcome]
        if not group:
            continue
        figure.add_scatter(
            x=[operation.started_at.astimezone(zone) for operation in group],
            y=[operation.duration_ms for operation in group],
            mode="markers",
            name=outcome,
            marker={"color": color, "size": 8},
            customdata=[
                [
                    label(o.kind),
                    label(o.actor),
                    f"{o.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
                ]
                for o in group
            ],
            hovertemplate="%{customdata[0]} by %{customdata[1]}<br>%{customdata[2]}<br>"
            "%{y:.1f} ms<extra></extra>",
        )
    steps = _medians(operations, days, zone)
    if steps:
        figure.add_scatter(
            x=[at for at, _ in steps],
            y=[median for _, median in steps],
            mode="lines",
            name="median of the day",
            line={"color": "#7d8a99", "dash": "dot"},
            hovertemplate="median %{y:.1f} ms<extra></extra>",
        )
    return figure


def _medians(
    operations: Sequence[Operation], days: Sequence[Day], zone: ZoneInfo
) -> list[tuple[Any, float | None]]:
    """Return each day's median from its first to its last operation, with gaps between days."""
    points: list[tuple[Any, float | None]] = []
    for day in days:
        times = [at for o in operations if (at := o.started_at.astimezone(zone)).date() == day.day]
        if times:
            points += [(min(times), day.median_ms), (max(times), day.median_ms), (max(times), None)]
    return points


def states(counts: Sequence[Counts], now: datetime, zone: ZoneInfo) -> Any:
    """Draw the number of tasks in each state over time."""
    figure = blank("tasks")
    counts = _until(now, counts)
    for state, color in STATES.items():
        numbers = [count.states.get(state, 0) for count in counts]
        if any(numbers):
            figure.add_scatter(
                x=[count.at.astimezone(zone) for count in counts],
                y=numbers,
                name=state,
                mode="lines",
                stackgroup="tasks",
                line={"color": color, "width": 1, "shape": "hv"},
            )
    figure.update_layout(hovermode="x unified")
    return figure


def success_rate(days: Sequence[Day], today: date) -> Any:
    """Draw the share of each day's operations that did not fail."""
    figure = blank("did not fail")
    figure.add_scatter(
        x=[day.day for day in days],
        y=[day.success_rate for day in days],
        mode="lines+markers",
        line={"color": OUTCOMES[Outcome.SUCCESS]},
        hovertemplate="%{y:.0%}<extra></extra>",
    )
    figure.update_yaxes(tickformat=".0%", range=[0, 1.05])
    return by_day(figure, [day.day for day in days], today)


def managed_entries(counts: Sequence[Counts], now: datetime, zone: ZoneInfo) -> Any:
    """Draw the numbers of managed and unmanaged entries over time."""
    figure = blank("entries")
    counts = _until(now, counts)
    times = [count.at.astimezone(zone) for count in counts]
    lines: Mapping[str, tuple[list[int], str]] = {
        "managed": ([count.managed for count in counts], STATES["synced"]),
        "unmanaged": ([count.entries - count.managed for count in counts], STATES["paused"]),
    }
    for name, (numbers, color) in lines.items():
        figure.add_scatter(
            x=times,
            y=numbers,
            name=name,
            mode="lines",
            stackgroup="entries",
            line={"color": color, "width": 1, "shape": "hv"},
        )
    figure.update_layout(hovermode="x unified")
    return figure


def _until(now: datetime, counts: Sequence[Counts]) -> list[Counts]:
    """Repeat the last counts at the present time, so that lines reach until now."""
    return [*counts, *(replace(last, at=now) for last in counts[-1:])]


def by_day(figure: Any, days: Iterable[date], today: date) -> Any:
    """Make the time axis at least a week wide: a single day's bar would fill the chart."""
    half = timedelta(hours=12)
    first = min([*days, today - timedelta(days=6)])
    begin, end = (datetime.combine(day, time()) for day in (first, today))
    figure.update_xaxes(range=[begin - half, end + half], type="date", tickformat="%d %b")
    if (today - first).days < 14:
        figure.update_xaxes(dtick=_DAY)
    return figure


def label(text: str) -> str:
    """Escape a text from outside. Plotly reads `<a href=…>` and the like as markup."""
    return escape(visible(text), quote=False)


def blank(what: str) -> Any:
    """Return an empty figure whose y axis has this title."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        height=260,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        yaxis={"title": what, "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.15},
    )
    return figure
