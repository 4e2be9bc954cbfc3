"""Queries on the run history.

Every query uses an index and a limit, so that a million runs answer as fast as a thousand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs import records
from pitasker_core.runs.exit_codes import in_words
from pitasker_core.runs.model import FINISHED, RunSource, RunState
from pitasker_core.sync import store

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
FILTER_CONDITIONS = {
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
        query = in_period(_select(), session, task, since)
        if kind in FILTER_CONDITIONS:
            query = query.where(FILTER_CONDITIONS[kind])
        query = query.order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(limit)
        return [Run(**row._mapping) for row in session.execute(query)]


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
        mine = in_period(_select(), session, None, None)
        row = session.execute(mine.where(RunRow.name == name)).first()
    return Run(**row._mapping) if row else None


def newest(environment: Environment) -> tuple[int | None, int]:
    """The newest run and the number of running ones. A changed answer means new runs."""
    with database.session(environment) as session:
        ids = in_period(select(RunRow.id), session, None, None)
        last = ids.order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(1)
        running = in_period(select(func.count()), session, None, None)
        running = running.where(FILTER_CONDITIONS["Running"])
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
        return records.printed(environment.spool / row.name)[0]
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


# --- How the queries are made ------------------------------------------------------------------

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


def in_period(query: Any, session: Session, task: int | None, since: datetime | None) -> Any:
    """Restrict a query to one task or this crontab, and to a period."""
    if task is not None:
        query = query.where(RunRow.task == task)
    else:
        query = query.where(RunRow.crontab_row == store.own_crontab(session))
    return query.where(RunRow.started_at >= since) if since else query
