"""Runs as lean rows, for charts and tables that show many of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, literal_column, select, text

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import ODD_RUNS, RunRow
from pitasker_core.runs.model import RunState

MOST = 5_000
"""The most runs that are read for a chart."""


@dataclass(frozen=True)
class Span:
    """A run from its start to its end, or a time in which runs were missed."""

    id: int
    task: int | None
    started_at: datetime
    ended_at: datetime | None
    state: str
    missed: int
    note: str
    command: str | None
    """Of a run without a task: the entry's command."""


@dataclass(frozen=True)
class Failure:
    """The newest failed run of a task that fails."""

    task: int
    run: int
    started_at: datetime
    exit_code: int | None
    signal: int | None
    note: str
    output: bytes
    """The end of what it printed."""


@dataclass(frozen=True)
class Recent:
    """The newest runs of a task, oldest first: seconds (None: unknown) and state of each."""

    seconds: tuple[float | None, ...]
    states: tuple[str, ...]


def spans(environment: Environment, since: datetime) -> list[Span]:
    """The runs that started since a time, oldest first; the newest `MOST` of them."""
    return _newest(environment, RunRow.started_at >= since)


def odd(environment: Environment, since: datetime) -> list[Span]:
    """The missed and running runs since a time, oldest first; the newest `MOST` of them."""
    # Written out: only then PostgreSQL sees that the partial index fits.
    is_odd: ColumnElement[bool] = literal_column(ODD_RUNS)
    return _newest(environment, is_odd, RunRow.started_at >= since, RunRow.state != RunState.FAILED)


def _newest(environment: Environment, *conditions: ColumnElement[bool]) -> list[Span]:
    columns = [getattr(RunRow, name) for name in Span.__dataclass_fields__]
    newest = RunRow.started_at.desc(), RunRow.id.desc()
    query = select(*columns).where(*conditions).order_by(*newest).limit(MOST)
    with database.session(environment) as session:
        rows = session.execute(query).all()
    return [Span(**row._mapping) for row in reversed(rows)]


_FAILURES = text(f"""
    select newest.* from tasks cross join lateral (
        select runs.task, runs.id as run, started_at, exit_code, signal, note,
            substring(coalesce(output, '') from greatest(1, length(output) - 600)) as output
        from runs where runs.task = tasks.id and state = '{RunState.FAILED}'
        order by started_at desc limit 1
    ) as newest
    where tasks.deleted_at is null and tasks.status = '{RunState.FAILED}' and not tasks.paused
    order by newest.started_at desc limit :limit
""")  # noqa: S608  (constants, written out for the partial index)


def failures(environment: Environment, limit: int = 50) -> list[Failure]:
    """The newest failed run of each task whose last run failed, newest first."""
    with database.session(environment) as session:
        rows = session.execute(_FAILURES, {"limit": limit})
        return [Failure(**{**row._mapping, "output": bytes(row.output)}) for row in rows]


_RECENT = text("""
    select tasks.id as task, newest.state,
        extract(epoch from newest.ended_at - newest.started_at)::float as seconds
    from tasks cross join lateral (
        select state, started_at, ended_at from runs where runs.task = tasks.id
        order by started_at desc limit (
            select greatest(3, least(:count, :most / nullif(count(*), 0)))
            from tasks where deleted_at is null
        )
    ) as newest
    where tasks.deleted_at is null order by newest.started_at
""")

_MOST_RECENT = 20_000
"""Runs of all tasks together: with more than a thousand tasks, each shows fewer."""


def recent(environment: Environment, count: int = 20) -> dict[int, Recent]:
    """Return the newest runs of each task that has any: `count`, or fewer of very many tasks."""
    rows: dict[int, list[tuple[float | None, str]]] = {}
    values = {"count": count, "most": _MOST_RECENT}
    with database.session(environment) as session:
        for task, state, seconds in session.execute(_RECENT, values):
            rows.setdefault(task, []).append((None if state == RunState.MISSED else seconds, state))
    return {
        task: Recent(tuple(row[0] for row in own), tuple(row[1] for row in own))
        for task, own in rows.items()
    }
