"""Queries on the run history.

Every query uses an index and a limit, so that a million runs answer as fast as a thousand. Figures
and charts use the newest `COUNTED` runs of a period. Pages say so if there are more.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Integer, Select, and_, cast, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs import spool
from pitasker_core.runs.exit_codes import in_words
from pitasker_core.runs.model import FINISHED, RunSource, RunState
from pitasker_core.sync import store

COUNTED = 20_000
"""The maximum number of runs in figures and charts: the newest of a period."""

DRAWN = 1_000
"""The maximum number of single runs in a chart."""

MUCH_OUTPUT = 50_000_000
"""Bytes a day above which a task prints a lot. Its output ends on the disk, in mail or logs. That
is 18 GB a year, which wears out an SD card."""

_OUTPUT_DAYS = 7
"""Days over which a task's output is averaged."""

_NEAR = 200
"""How many earlier and later runs are searched for output. A task may never print anything."""


@dataclass(frozen=True)
class Run:
    """One execution of a task, or consecutive times that it missed. Times are aware, in UTC. None
    means unknown."""

    id: int
    task: int | None
    """None for an unmanaged entry; then `command` is its command."""
    task_name: str
    """The task's name, or the command of an unmanaged entry."""
    command: str | None
    name: str | None
    """Its name in the spool."""
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    signal: int | None
    user_seconds: float | None
    system_seconds: float | None
    peak_kb: int | None
    bytes: int
    has_output: bool
    source: str
    state: str
    """`running`, `success`, `failed`, `missed`, or `started` when only its start was seen."""
    slow: bool
    overlaps: bool
    """Whether it started while the previous run was still going on."""
    missed: int
    """For missed runs: how many consecutive times, from `started_at` to `ended_at`."""
    note: str

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None if unknown."""
        if self.ended_at is None or self.state == RunState.MISSED:
            return None
        return self.ended_at - self.started_at

    @property
    def result(self) -> str:
        """The result in words."""
        if self.state == RunState.MISSED:
            times = f" {self.missed} times" if self.missed > 1 else ""
            return f"missed{times}: {self.note}" if self.note else f"missed{times}"
        words = self.note or in_words(self.state, self.exit_code, self.signal)
        return f"{words}, overlapping the previous run" if self.overlaps else words


FILTERS = ("All", "Failed", "Slow", "Missed", "By hand", "Running")

# Literals, not parameters, so that PostgreSQL can choose the matching partial index.
_KINDS = {
    "Failed": RunRow.state == literal_column(f"'{RunState.FAILED}'"),
    "Missed": RunRow.state == literal_column(f"'{RunState.MISSED}'"),
    "Running": RunRow.state == literal_column(f"'{RunState.RUNNING}'"),
    "Slow": RunRow.slow,
    "By hand": RunRow.source == literal_column(f"'{RunSource.BY_HAND}'"),
}


def runs(
    environment: Environment,
    limit: int = 200,
    task: int | None = None,
    kind: str = "All",
    since: datetime | None = None,
) -> list[Run]:
    """The newest runs of this crontab or one task, newest first, with one of `FILTERS`."""
    with database.session(environment) as session:
        query = _of(_select(), session, environment, task, since)
        if kind in _KINDS:
            query = query.where(_KINDS[kind])
        query = query.order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(limit)
        return [Run(**row._mapping) for row in session.execute(query)]


def broken(environment: Environment, since: datetime, limit: int) -> list[Run]:
    """The newest runs that failed or were missed, newest first."""
    results = [
        run for kind in ("Failed", "Missed") for run in runs(environment, limit, None, kind, since)
    ]
    return sorted(results, key=lambda run: run.started_at, reverse=True)[:limit]


def run(environment: Environment, number: int) -> Run:
    """One run. Raises NotFound."""
    with database.session(environment) as session:
        row = session.execute(_select().where(RunRow.id == number)).first()
    if row is None:
        raise NotFound(f"There is no run {number}.")
    return Run(**row._mapping)


def named(environment: Environment, name: str) -> Run | None:
    """The run with this name in the spool; None before it is imported."""
    with database.session(environment) as session:
        # The index of names begins with the crontab.
        mine = _of(_select(), session, environment, None, None)
        row = session.execute(mine.where(RunRow.name == name)).first()
    return Run(**row._mapping) if row else None


def newest(environment: Environment) -> tuple[int | None, int]:
    """The newest run and the number of running ones. A changed answer means new runs."""
    with database.session(environment) as session:
        ids = _of(select(RunRow.id), session, environment, None, None)
        last = ids.order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(1)
        running = _of(select(func.count()), session, environment, None, None)
        running = running.where(_KINDS["Running"])
        row = session.execute(select(last.scalar_subquery(), running.scalar_subquery())).one()
        return row[0], row[1]


def output(environment: Environment, number: int) -> bytes:
    """The output of a run, so far if it is still going on. Raises NotFound."""
    with database.session(environment) as session:
        query = select(RunRow.output, RunRow.name).where(RunRow.id == number)
        row = session.execute(query).first()
    if row is None:
        raise NotFound(f"There is no run {number}.")
    if row.output is None and row.name:
        return spool.printed(environment.spool / row.name)[0]
    return row.output or b""


def others(environment: Environment, like: Run, limit: int = 100) -> list[Run]:
    """Other runs of the same task with output: earlier ones first, each newest first."""
    if like.task is None:
        return []
    at = RunRow.started_at
    results: list[Run] = []
    with database.session(environment) as session:
        for side, order in ((at <= like.started_at, at.desc()), (at > like.started_at, at)):
            near = select(RunRow.id).where(RunRow.task == like.task, RunRow.id != like.id, side)
            near = near.order_by(order).limit(_NEAR)
            query = _select().where(RunRow.id.in_(near), RunRow.bytes > 0)
            query = query.where(RunRow.output.is_not(None)).order_by(order).limit(limit)
            results += [Run(**row._mapping) for row in session.execute(query)]
    return results


def names(environment: Environment) -> dict[int, str]:
    """The names of this crontab's tasks by id, sorted by name."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        rows = session.execute(
            select(TaskRow.id, TaskRow.name)
            .where(TaskRow.crontab_row == crontab_row, TaskRow.deleted_at.is_(None))
            .order_by(func.lower(TaskRow.name), TaskRow.id)
        )
        return {row.id: row.name for row in rows}


# --- Figures and charts ------------------------------------------------------------------------


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
        some = _newest(session, environment, task, since)
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
        some = _newest(session, environment, task, since)
        by_clock = func.timezone(zone.key or "UTC", some.c.started_at)
        day, hour = cast(by_clock, Date), cast(func.extract("hour", by_clock), Integer)
        success, failed, _, started = _counts(some)
        query = select(day, hour, success, failed, started).group_by(day, hour)
        query = query.where(some.c.state != RunState.MISSED)
        counts = {(row[0], row[1]): row[2:] for row in session.execute(query)}
        query = _of(
            select(RunRow.started_at, RunRow.ended_at, RunRow.missed),
            session,
            environment,
            task,
            since,
        )
        query = query.where(_KINDS["Missed"]).order_by(RunRow.started_at.desc()).limit(DRAWN)
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
        some = _newest(session, environment, None, since)
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
        query = _of(
            select(RunRow.id, RunRow.started_at, _SECONDS, RunRow.state, RunRow.slow),
            session,
            environment,
            task,
            since,
        ).where(RunRow.ended_at.is_not(None), RunRow.state.in_(FINISHED))
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


# --- How the queries are made ------------------------------------------------------------------


_SECONDS: Any = func.extract("epoch", RunRow.ended_at - RunRow.started_at)


# Only the run right before this one: looking further back would take too long.
_BEFORE = aliased(RunRow)
_OVERLAPS = (
    select(
        or_(
            _BEFORE.state == RunState.RUNNING,
            and_(_BEFORE.state.in_(FINISHED), _BEFORE.ended_at > RunRow.started_at),
        )
    )
    .where(_BEFORE.task == RunRow.task, _BEFORE.started_at < RunRow.started_at)
    # A missed run cannot overlap.
    .where(RunRow.state != RunState.MISSED)
    .order_by(_BEFORE.started_at.desc())
    .limit(1)
    .scalar_subquery()
)


def _select() -> Select[Any]:
    """A query for the fields of `Run`."""
    computed: dict[str, Any] = {
        "task_name": func.coalesce(TaskRow.name, RunRow.command, ""),
        "has_output": RunRow.output.is_not(None),
        "overlaps": func.coalesce(_OVERLAPS, literal_column("false")),
    }
    columns = [
        computed[name].label(name) if name in computed else getattr(RunRow, name)
        for name in Run.__dataclass_fields__
    ]
    return select(*columns).outerjoin(TaskRow, TaskRow.id == RunRow.task)


def _of(
    query: Any, session: Session, environment: Environment, task: int | None, since: datetime | None
) -> Any:
    """Restrict a query to one task or this crontab, and to a period."""
    if task is not None:
        query = query.where(RunRow.task == task)
    else:
        query = query.where(RunRow.crontab_row == store.own_crontab(session))
    return query.where(RunRow.started_at >= since) if since else query


def _newest(
    session: Session, environment: Environment, task: int | None, since: datetime | None
) -> Any:
    """The newest `COUNTED` runs of a period, as a subquery."""
    columns = (RunRow.task, RunRow.started_at, RunRow.state, RunRow.slow, RunRow.missed)
    query = _of(select(*columns), session, environment, task, since)
    return query.order_by(RunRow.started_at.desc()).limit(COUNTED).subquery()


def _counts(some: Any) -> Sequence[Any]:
    """The numbers of successes, failures, misses, and starts without a known result."""
    success, failed, started = (
        func.count().filter(some.c.state == state)
        for state in (RunState.SUCCESS, RunState.FAILED, RunState.STARTED)
    )
    return success, failed, func.coalesce(func.sum(some.c.missed), 0), started
