"""The figures of the overview, with their trends. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pitasker_core.base.text import counted
from pitasker_core.runs.history import Hour
from pitasker_core.tasks import Listing, State

_DAYS = 7


@dataclass(frozen=True)
class Trend:
    """The runs of today and of the last seven days."""

    today: int
    failed: int
    missed: int
    """Of today."""
    per_day: list[int]
    """Runs of each of the last seven days, today last."""
    rate: float | None
    """The share of success in seven days; None without a result."""
    change: float | None
    """How much the rate differs from that of the seven days before."""
    rates: list[float]
    """The share of success of each day that had a result, in percent."""


def trend(hours: Sequence[Hour], today: date) -> Trend:
    """The trend that the hours of the last fourteen days make."""
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
    """Success, failed, missed and merely started runs of a range of days."""
    some = [hour for hour in hours if first <= hour.day <= last]
    return (
        sum(hour.success for hour in some),
        sum(hour.failed for hour in some),
        sum(hour.missed for hour in some),
        sum(hour.started for hour in some),
    )


def _rate(count: tuple[int, int, int, int]) -> float | None:
    success, failed, missed, _ = count
    known = success + failed + missed
    return success / known if known else None


def percent(rate: float | None) -> str:
    """A share in percent; never 100 % while one failed or was missed."""
    if rate is None:
        return "–"
    return "100 %" if rate == 1 else f"{100 * min(rate, 0.999):.1f} %"


def today_text(trend: Trend) -> str:
    """What went wrong today, in words."""
    parts = []
    if trend.failed:
        parts.append(f"{trend.failed} failed")
    if trend.missed:
        parts.append(f"{trend.missed} missed")
    return " · ".join(parts) or "none failed or missed"


def change_text(trend: Trend) -> str | None:
    """How the rate changed, in percentage points, as a metric's delta reads it."""
    if trend.change is None or abs(trend.change) < 0.0005:
        return None
    return f"{100 * trend.change:+.1f} %"


def sync_text(listing: Listing) -> str:
    """Whether a sync would change something, in words."""
    if listing.comparison is None:
        return "crontab not readable"
    waiting = sum(
        state in (State.PENDING, State.FAILED, State.CONFLICT) for state in listing.states.values()
    )
    return f"{counted(waiting, 'task')} out of sync" if waiting else "in sync"
