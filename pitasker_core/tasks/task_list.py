"""The tasks of a crontab, and where each stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, Integer, any_, bindparam, select

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound, PiTaskerError
from pitasker_core.base.text import marked
from pitasker_core.crontab.calendar import Clock
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.crontab.zones import entry_clock
from pitasker_core.database.direct import Rows, Statement
from pitasker_core.database.tables import TaskRow
from pitasker_core.sync import store
from pitasker_core.sync.merge import ChangeKind
from pitasker_core.sync.service import Comparison, compare, read_crontab
from pitasker_core.tasks.model import ATTRIBUTES, State, Task, make_task

_TASKS = TaskRow.__table__.c
# Columns of the table: mapped columns would take twice as long.
_COLUMNS = [_TASKS[attribute] for attribute in ATTRIBUTES.values()]


@dataclass(frozen=True)
class Listing:
    """All tasks and where they stand. `problem` is why the crontab could not be compared."""

    tasks: list[Task]
    states: dict[int, State]
    details: dict[int, str]
    """The reason for a state that needs attention, as a sentence."""
    comparison: Comparison | None
    problem: PiTaskerError | None
    last_sync: datetime | None = None
    """The time of the last successful sync."""
    version: str = ""
    """A name for what this listing holds; empty unless it comes from `current`."""

    @property
    def dialect(self) -> Dialect:
        """Which cron reads the crontab; Debian's where the crontab could not be read."""
        return self.comparison.document.dialect if self.comparison else Dialect.DEBIAN

    def cron_schedule(self, task: Task) -> str | None:
        """Return the schedule by which cron runs a task now; None when cron does not run it.

        Cron does not know of pending changes and conflicts yet.
        """
        if self.comparison is None:
            return task.schedule if task.system_managed and not task.paused else None
        entry = self.comparison.reading.theirs.get(task.tag) if task.tag else None
        return entry.schedule if entry and not entry.paused else None

    def cron_clock(self, task: Task, machine: ZoneInfo) -> Clock:
        """Return the clock by which cron reads the schedule of a task."""
        if self.comparison is None:
            return machine
        index = self.comparison.reading.entries.get(task.tag) if task.tag else None
        return entry_clock(self.comparison.document, index, machine)


def listing(environment: Environment, *, deleted: bool = False) -> Listing:
    """Return all tasks of this crontab by name, or the deleted ones, and where they stand."""
    text, document, problem = None, parse(""), None
    try:
        text, document = read_crontab(environment)
    except PiTaskerError as error:
        problem = error
    return read_listing(environment, text, document, problem, deleted=deleted)


def read_listing(
    environment: Environment,
    text: str | None,
    document: Document,
    problem: PiTaskerError | None,
    *,
    deleted: bool = False,
) -> Listing:
    """Return the tasks, compared with this crontab; `problem` is why it could not be read."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        rows = session.execute(
            select(*_COLUMNS)
            .where(_TASKS.crontab_row == crontab_row)
            .where(_TASKS.deleted_at.is_not(None) if deleted else _TASKS.deleted_at.is_(None))
            .order_by(_TASKS.name, _TASKS.id)
        ).all()
        tasks = [make_task(row) for row in rows]
        comparison = None if problem else compare(session, crontab_row, text, document)
        last_sync = store.last_sync(session, crontab_row)
    states: dict[int, State] = {}
    details: dict[int, str] = {}
    for task in tasks:
        states[task.id], details[task.id] = _state(task, comparison)
    return Listing(tasks, states, details, comparison, problem, last_sync)


def get(environment: Environment, task: int) -> Task:
    """Return one task, deleted or not. Raises NotFound."""
    return get_several(environment, [task])[0]


def get_several(environment: Environment, ids: Sequence[int]) -> list[Task]:
    """Return tasks in the order of their ids here. Raises NotFound."""
    rows = database.fetch(environment, _SEVERAL, {"ids": [*ids]})
    tasks = {row.id: make_task(row) for row in rows}
    if missing := [task for task in ids if task not in tasks]:
        raise NotFound(
            f"There is no task {missing[0]}.", marked("`./pitasker list` shows them all.")
        )
    return [tasks[task] for task in ids]


# One parameter, where IN would make a statement for each number of ids.
_SEVERAL = select(*_COLUMNS).where(_TASKS.id == any_(bindparam("ids", type_=ARRAY(Integer))))


def query_of(ids: Sequence[int]) -> Statement:
    """Return the statement that asks for tasks, deleted or not; see `tasks_of`."""
    return _QUERY, {"ids": [*ids]}


_QUERY = f"""
    select {", ".join(column.name for column in _COLUMNS)}
    from tasks where id = any(cast(%(ids)s as int[]))
"""  # noqa: S608 - the names of our columns


def tasks_of(rows: Rows) -> dict[int, Task]:
    """Return the tasks of the answer to `query_of`, by id."""
    tasks = [make_task(row) for row in rows]
    return {
        task.id: replace(task, sync_error=marked(task.sync_error)) if task.sync_error else task
        for task in tasks
    }


def _state(task: Task, comparison: Comparison | None) -> tuple[State, str]:
    change = comparison.task_changes.get(task.id) if comparison else None
    if comparison and change and change.kind is ChangeKind.CONFLICT:
        if change.tag in comparison.reading.lost:
            return State.CONFLICT, "Its tag was removed from the crontab by hand."
        return State.CONFLICT, "It was changed here and in the crontab, differently."
    if task.sync_error:
        return State.FAILED, task.sync_error
    if not task.system_managed and change is None:
        return State.DATABASE_ONLY, ""
    if change and change.kind is ChangeKind.PULL:
        what = "removed from" if change.theirs is None else "changed in"
        return State.PENDING, f"It was {what} the crontab by hand."
    if change and change.kind is ChangeKind.PUSH:
        return State.PENDING, "The crontab does not have this yet."
    if task.system_managed and comparison is None and not task.synced_at:
        return State.PENDING, "The crontab could not be read."
    return State.SYNCED, ""
