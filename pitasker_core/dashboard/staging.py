"""Edits of tasks that were made in the table and are not applied yet. Pure.

They are stored by task, not by row: sorting, filtering, a sync or another tab may move rows.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import counted
from pitasker_core.crontab.document import check_name
from pitasker_core.crontab.editable import edited
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.tasks import Edit, Task, check_schedule

FIELDS = {
    "on": "on",
    "name": "name",
    "schedule": "schedule",
    "command": "command",
    "in_crontab": "in crontab",
}
"""The editable columns, with their words on the page."""


STAGED = FIELDS.keys() - {"on"}
"""The columns whose edits must be applied. Pausing and resuming takes effect at once."""


@dataclass(frozen=True)
class Staged:
    """A cell's value when it was edited, and its new value."""

    before: Any
    after: Any


Staging = dict[int, dict[str, Staged]]
"""Edited cells by task and column."""


@dataclass(frozen=True)
class Collision:
    """A cell that somebody else changed to another value after it was edited here."""

    task: Task
    column: str
    mine: Any
    now: Any


def cell(task: Task, column: str) -> Any:
    """Return a task's value in a column."""
    if column == "on":
        return not task.paused
    if column == "in_crontab":
        return task.system_managed
    return getattr(task, column)


def stage(
    staging: Staging,
    delta: Mapping[str, Any],
    rows: Sequence[int],
    tasks: Mapping[int, Task],
    as_schedule: Callable[[str, Task], str] = lambda text, task: text,
) -> Staging:
    """Return the staging with the edits of a table's delta. `rows` are the task ids of its rows.

    `as_schedule` turns words typed as a schedule into the schedule that they mean. An edit to the
    task's present value is removed. Raises InvalidSyntax for a changed text with a character that a
    table cannot show.
    """
    staged = {task: dict(cells) for task, cells in staging.items()}
    for position, changed in delta.get("edited_rows", {}).items():
        task = tasks.get(rows[int(position)])
        if task is None:
            continue
        cells = staged.setdefault(task.id, {})
        for column in changed.keys() & STAGED:
            before = cells[column].before if column in cells else cell(task, column)
            after = "" if changed[column] is None else changed[column]
            if isinstance(after, str):
                after = edited(cell(task, column), after.strip())
            if column == "schedule" and after != cell(task, column):
                after = as_schedule(after, task)
            cells[column] = Staged(before, after)
            if cells[column].after == cell(task, column):
                del cells[column]
    return {task: cells for task, cells in staged.items() if cells}


Cells = dict[tuple[int, str], Any]
"""Values by task and column."""


def edited_cells(delta: Mapping[str, Any], rows: Sequence[int]) -> Cells:
    """The cells in a table's delta. `rows` are the ids of the rows it shows."""
    return {
        (rows[int(position)], column): value
        for position, changed in delta.get("edited_rows", {}).items()
        for column, value in changed.items()
    }


def new_edits(cells: Cells, seen: Cells) -> Cells:
    """The cells that the delta before did not have with these values.

    A table repeats all its edits in each delta, and forgets them when its data changes. An edit
    that was forgotten meanwhile is new when it is made again.
    """
    return {cell: value for cell, value in cells.items() if (cell, value) not in seen.items()}


def without(staging: Staging, task: int, column: str) -> Staging:
    """Return the staging without this cell."""
    cells = {name: value for name, value in staging.get(task, {}).items() if name != column}
    others = {number: value for number, value in staging.items() if number != task}
    return {**others, task: cells} if cells else others


def rebased(staging: Staging, task: Task, column: str) -> Staging:
    """Return the staging with this cell as an edit of the task's present value."""
    staged = staging[task.id][column]
    cells = {**staging[task.id], column: Staged(cell(task, column), staged.after)}
    return {**staging, task.id: cells}


def collisions(staging: Staging, tasks: Mapping[int, Task]) -> list[Collision]:
    """Return the edits that would overwrite somebody else's change of the same cell."""
    return [
        Collision(task, column, staged.after, cell(task, column))
        for number, cells in staging.items()
        if (task := tasks.get(number))
        for column, staged in cells.items()
        if cell(task, column) not in (staged.before, staged.after)
    ]


def without_tasks(staging: Staging, tasks: Collection[int]) -> Staging:
    """Return the staging without the edits of these tasks."""
    return {number: cells for number, cells in staging.items() if number not in tasks}


def invalid_cells(cells: Mapping[str, Staged], dialect: Dialect) -> list[str]:
    """Return the columns with an invalid value, or all if only their combination is invalid."""
    wrong = ["name"] if "name" in cells and check_name(cells["name"].after) else []
    if "schedule" in cells:
        try:
            check_schedule(cells["schedule"].after, dialect)
        except InvalidSyntax:
            wrong.append("schedule")
    return wrong or list(cells)


def disagrees(delta: Mapping[str, Any], rows: Sequence[int], cells: Mapping[int, Any]) -> bool:
    """Whether a table still shows edits that were discarded, undone or changed elsewhere.

    `cells` has the values that each row should show, by task id.
    """
    return any(
        column in cells[rows[int(position)]] and cells[rows[int(position)]][column] != value
        for position, changed in delta.get("edited_rows", {}).items()
        for column, value in changed.items()
    )


def as_json(staging: Staging) -> dict[str, Any]:
    """Return the staging as a draft stores it."""
    return {
        str(number): {column: [cell.before, cell.after] for column, cell in cells.items()}
        for number, cells in staging.items()
    }


def from_json(value: Mapping[str, Any]) -> Staging:
    """Return the staging of a draft, without malformed parts."""
    return {
        int(number): {
            column: Staged(*pair)
            for column, pair in cells.items()
            if column in FIELDS and isinstance(pair, list) and len(pair) == 2
        }
        for number, cells in value.items()
        if number.isdecimal() and isinstance(cells, dict)
    }


def edits(staging: Staging, tasks: Mapping[int, Task]) -> list[Edit]:
    """Return the edits, each for the version of its task that the page has read."""
    edits = []
    for number, cells in staging.items():
        fields: dict[str, Any] = {}
        for column, staged in cells.items():
            if column == "on":
                fields["paused"] = not staged.after
            elif column == "in_crontab":
                fields["system_managed"] = staged.after
            else:
                fields[column] = staged.after
        task = tasks.get(number)
        edits.append(Edit(number, task.version if task else None, fields))
    return edits


def summary(staging: Staging) -> str:
    """Return the number of edits in words: "3 changes in 2 tasks"."""
    changes = sum(len(cells) for cells in staging.values())
    return f"{counted(changes, 'change')} in {counted(len(staging), 'task')}"
