"""The figures of the overview and their trends. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pitasker_core.base.text import counted
from pitasker_core.reports.status import Status
from pitasker_core.runs.run_statistics import Hour

_DAYS = 7


@dataclass(frozen=True)
class Trend:
    """The runs of the last seven days. `today`, `failed` and `missed` are today's numbers."""

    today: int
    failed: int
    missed: int
    per_day: list[int]
    """Runs per day, today last."""
    rate: float | None
    """The share of successful runs. None without results."""
    change: float | None
    """The difference to the rate of the seven days before."""
    rates: list[float]
    """The success rates of the days that had results, in percent."""


def trend(hours: Sequence[Hour], today: date) -> Trend:
    """Return the trend from the hours of the last fourteen days."""
    days = [today - timedelta(days=n) for n in reversed(range(_DAYS))]
    counts = {day: _count(hours, day, day) for day in days}
    success, failed, missed, _ = counts[today]
    now = _rate(_count(hours, days[0], today))
    before = _rate(_count(hours, days[0] - timedelta(days=_DAYS), days[0] - timedelta(days=1)))
    return Trend(
        today=success + failed + counts[today][3],
        failed=failed,
        missed=missed,
        per_day=[sum(counts[day]) - counts[day][2] for day in days],
        rate=now,
        change=None if now is None or before is None else now - before,
        rates=[100 * rate for day in days if (rate := _rate(counts[day])) is not None],
    )


def _count(hours: Sequence[Hour], first: date, last: date) -> tuple[int, int, int, int]:
    """Return the numbers of successful, failed, missed and unrecorded runs of these days."""
    period = [hour for hour in hours if first <= hour.day <= last]
    return (
        sum(hour.success for hour in period),
        sum(hour.failed for hour in period),
        sum(hour.missed for hour in period),
        sum(hour.started for hour in period),
    )


def _rate(count: tuple[int, int, int, int]) -> float | None:
    success, failed, missed, _ = count
    results = success + failed + missed
    return success / results if results else None


def percent(rate: float | None) -> str:
    """Return a success rate in percent. It is never 100 % if a run failed or was missed."""
    if rate is None:
        return "–"
    return "100 %" if rate == 1 else f"{100 * min(rate, 0.999):.1f} %"


def today_text(trend: Trend) -> str:
    """Return today's failed and missed runs in words."""
    parts = []
    if trend.failed:
        parts.append(f"{trend.failed} failed")
    if trend.missed:
        parts.append(f"{trend.missed} missed")
    return " · ".join(parts) or "none failed or missed"


def change_text(trend: Trend) -> str | None:
    """Return the change of the rate in percentage points, as `st.metric` reads a delta."""
    if trend.change is None or abs(trend.change) < 0.0005:
        return None
    return f"{100 * trend.change:+.1f} %"


def sync_text(status: Status) -> str:
    """Return in words whether tasks are out of sync."""
    if not status.is_readable:
        return "crontab not readable"
    return f"{counted(status.unsynced, 'task')} out of sync" if status.unsynced else "in sync"
