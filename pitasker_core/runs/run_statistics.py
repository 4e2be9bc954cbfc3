"""Figures of runs for a period, and the numbers behind the charts.

They use the newest `COUNTED` runs of the period. Pages say so if there are more.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Integer, cast, func, select
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs.history import FILTER_CONDITIONS, in_period
from pitasker_core.runs.model import FINISHED, RunState

COUNTED = 20_000
"""The maximum number of runs in figures and charts: the newest of a period."""

DRAWN = 1_000
"""The maximum number of single runs in a chart."""

MUCH_OUTPUT = 50_000_000
"""Bytes a day above which a task prints a lot. Its output ends on the disk, in mail or logs. That
is 18 GB a year, which wears out an SD card."""

_OUTPUT_DAYS = 7
"""Days over which a task's output is averaged."""


@dataclass(frozen=True)
class Figures:
    """Counts of runs. `missed` counts each missed time."""

    success: int
    failed: int
    missed: int
    started: int
    slow: int
    more: bool
    """Whether the period has more runs than were counted."""

    @property
    def success_rate(self) -> float | None:
        """The share of successes among runs with a known result and missed runs."""
        total = self.success + self.failed + self.missed
        return self.success / total if total else None


def figures(environment: Environment, task: int | None, since: datetime | None) -> Figures:
    """The figures of a period, of one task or of all."""
    with database.session(environment) as session:
        some = _newest(session, task, since)
        query = select(*_counts(some), func.count().filter(some.c.slow), func.count())
        row: Any = session.execute(query).one()
    success, failed, missed, started, slow, count = row
    return Figures(success, failed, missed, started, slow, more=count >= COUNTED)


@dataclass(frozen=True)
class Hour:
    """The results of runs that started in one hour of the machine's time zone."""

    day: date
    hour: int
    success: int
    failed: int
    missed: int
    started: int


def hours(
    environment: Environment, task: int | None, since: datetime | None, zone: ZoneInfo
) -> list[Hour]:
    """The hours of a period with actual or missed runs, oldest first."""
    with database.session(environment) as session:
        some = _newest(session, task, since)
        by_clock = func.timezone(zone.key or "UTC", some.c.started_at)
        day, hour = cast(by_clock, Date), cast(func.extract("hour", by_clock), Integer)
        success, failed, _, started = _counts(some)
        query = select(day, hour, success, failed, started).group_by(day, hour)
        query = query.where(some.c.state != RunState.MISSED)
        counts = {(row[0], row[1]): row[2:] for row in session.execute(query)}
        columns = (RunRow.started_at, RunRow.ended_at, RunRow.missed)
        query = in_period(select(*columns), session, task, since)
        query = query.where(FILTER_CONDITIONS["Missed"])
        query = query.order_by(RunRow.started_at.desc()).limit(DRAWN)
        missed = Counter(
            (local.date(), local.hour)
            for first, last, times in session.execute(query)
            for local in (at.astimezone(zone) for at in _times(first, last or first, times))
        )
    return [
        Hour(at[0], at[1], well, failures, missed[at], starts)
        for at in sorted(counts.keys() | missed.keys())
        for well, failures, starts in [counts.get(at, (0, 0, 0))]
    ]


def _times(first: datetime, last: datetime, times: int) -> list[datetime]:
    """The times of missed runs: the first, the last, and evenly spaced ones in between."""
    steps = max(times - 1, 1)
    return [first + n * (last - first) / steps for n in range(min(times, COUNTED))]


@dataclass(frozen=True)
class OfTask:
    """Counts of one task's runs."""

    task: int
    name: str
    success: int
    failed: int
    missed: int


def by_task(environment: Environment, since: datetime | None, limit: int = 25) -> list[OfTask]:
    """The tasks with runs in a period, most failures and misses first."""
    with database.session(environment) as session:
        some = _newest(session, None, since)
        success, failed, missed, _ = _counts(some)
        query = (
            select(some.c.task, TaskRow.name, success, failed, missed)
            .join(TaskRow, TaskRow.id == some.c.task)
            .group_by(some.c.task, TaskRow.name)
            .having(func.count().filter(some.c.state.in_((*FINISHED, RunState.MISSED))) > 0)
            .order_by((failed + missed).desc(), TaskRow.name)
            .limit(limit)
        )
        return [OfTask(*row) for row in session.execute(query)]


@dataclass(frozen=True)
class Took:
    """How long one run took, in seconds."""

    id: int
    started_at: datetime
    seconds: float
    state: str
    slow: bool


def durations(environment: Environment, task: int, since: datetime | None) -> list[Took]:
    """The durations of the newest ended runs of a task, oldest first."""
    with database.session(environment) as session:
        columns = (RunRow.id, RunRow.started_at, _SECONDS, RunRow.state, RunRow.slow)
        query = in_period(select(*columns), session, task, since)
        query = query.where(RunRow.ended_at.is_not(None), RunRow.state.in_(FINISHED))
        rows = session.execute(query.order_by(RunRow.started_at.desc()).limit(DRAWN)).all()
    return [Took(*row) for row in reversed(rows)]


def bytes_per_day(environment: Environment, task: int) -> int:
    """The bytes that a task prints a day, averaged over the last week."""
    now = clock.now()
    with database.session(environment) as session:
        some = (
            select(RunRow.bytes, RunRow.started_at)
            .where(RunRow.task == task, RunRow.started_at > now - timedelta(days=_OUTPUT_DAYS))
            .order_by(RunRow.started_at.desc())
            .limit(COUNTED)
            .subquery()
        )
        query = select(func.sum(some.c.bytes), func.min(some.c.started_at))
        total, first = session.execute(query).one()
    return int(float(total) / max((now - first) / timedelta(days=1), 1)) if total else 0


_SECONDS: Any = func.extract("epoch", RunRow.ended_at - RunRow.started_at)


def _newest(session: Session, task: int | None, since: datetime | None) -> Any:
    """The newest `COUNTED` runs of a period, as a subquery."""
    columns = (RunRow.task, RunRow.started_at, RunRow.state, RunRow.slow, RunRow.missed)
    query = in_period(select(*columns), session, task, since)
    return query.order_by(RunRow.started_at.desc()).limit(COUNTED).subquery()


def _counts(some: Any) -> Sequence[Any]:
    """The numbers of successes, failures, misses, and starts without a known result."""
    success, failed, started = (
        func.count().filter(some.c.state == state)
        for state in (RunState.SUCCESS, RunState.FAILED, RunState.STARTED)
    )
    return success, failed, func.coalesce(func.sum(some.c.missed), 0), started
