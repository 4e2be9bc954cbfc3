"""Runs as the database has them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select

from pitasker_core import database
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.errors import NotFound
from pitasker_core.settings import Settings


@dataclass(frozen=True)
class Run:
    """One execution of a task. Times are aware, in UTC; what is not known is None."""

    id: int
    task: int
    task_name: str
    name: str | None
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    signal: int | None
    user_seconds: float | None
    system_seconds: float | None
    peak_kb: int | None
    bytes: int
    source: str
    note: str

    @property
    def duration(self) -> timedelta | None:
        """How long it took."""
        return self.ended_at - self.started_at if self.ended_at else None

    @property
    def state(self) -> str:
        """`running`, `success`, `failed`, or `started` when only its start was seen."""
        if self.source == "observed" or self.note == "lost":
            return "started"
        if self.ended_at is None:
            return "running"
        return "success" if self.exit_code == 0 else "failed"

    @property
    def result(self) -> str:
        """What became of it, in words."""
        return self.note or in_words(self.state, self.exit_code, self.signal)


_CODES = {
    126: "it could not be executed: is it executable, with a valid first line?",
    127: "command not found",
    130: "interrupted",
    137: "killed",
    143: "terminated",
}
_SIGNALS = {1: "hung up", 2: "interrupted", 6: "aborted", 9: "killed", 11: "crashed", 15: "ended"}


def in_words(state: str, exit_code: int | None, signal: int | None) -> str:
    """An end in words; codes from 126 on are those of the shell (POSIX, "Exit Status")."""
    if signal is not None:
        return f"{_SIGNALS.get(signal, 'ended')} by signal {signal}"
    if exit_code:
        words = _CODES.get(exit_code)
        return f"exit code {exit_code}: {words}" if words else f"exit code {exit_code}"
    return {"success": "went well", "started": "started"}.get(state, state)


FILTERS = ("All", "Failed", "Running", "By hand")


def runs(
    settings: Settings, limit: int = 200, task: int | None = None, kind: str = "All"
) -> list[Run]:
    """The newest runs, newest first: of one task or all, of one kind or all."""
    query = _select().order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(limit)
    if task is not None:
        query = query.where(RunRow.task == task)
    if kind == "Failed":
        query = query.where(RunRow.ended_at.is_not(None), RunRow.exit_code.is_distinct_from(0))
    elif kind == "Running":
        query = query.where(
            RunRow.ended_at.is_(None), RunRow.source != "observed", RunRow.note != "lost"
        )
    elif kind == "By hand":
        query = query.where(RunRow.source == "by hand")
    with database.session(settings) as session:
        return [Run(**row._mapping) for row in session.execute(query)]


def run(settings: Settings, number: int) -> Run:
    """One run. Raises NotFound."""
    with database.session(settings) as session:
        row = session.execute(_select().where(RunRow.id == number)).first()
    if row is None:
        raise NotFound(f"There is no run {number}.")
    return Run(**row._mapping)


def output(settings: Settings, number: int) -> bytes:
    """What a run that has ended printed. Raises NotFound."""
    with database.session(settings) as session:
        row = session.execute(select(RunRow.output).where(RunRow.id == number)).first()
    if row is None:
        raise NotFound(f"There is no run {number}.")
    return row.output or b""


def _select() -> Select[Any]:
    columns = [getattr(RunRow, name) for name in Run.__dataclass_fields__ if name != "task_name"]
    return select(*columns, TaskRow.name.label("task_name")).join(TaskRow)
