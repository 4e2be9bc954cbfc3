"""Edits of tasks that were made in the table and wait for a person's "Apply". Pure.

They are kept by task, never by row, so that sorting, filtering, a sync or another tab can move
rows as they like.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pitasker_core.base.errors import InvalidSyntax
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
"""The columns that a person may edit, in the words of the page."""


STAGED = FIELDS.keys() - {"on"}
"""The columns whose edits wait; a task is paused and resumed at once."""


@dataclass(frozen=True)
class Staged:
    """A cell's value when it was edited, and what it shall be."""

    before: Any
    after: Any


Staging = dict[int, dict[str, Staged]]
"""By task and column."""


@dataclass(frozen=True)
class Collision:
    """A cell that somebody else changed after it was edited here, to something different."""

    task: Task
    column: str
    mine: Any
    now: Any


def cell(task: Task, column: str) -> Any:
    """What the table shows of a task in a column."""
    if column == "on":
        return not task.paused
    if column == "in_crontab":
        return task.system_managed
    return getattr(task, column)


def stage(
    staging: Staging, delta: Mapping[str, Any], rows: Sequence[int], tasks: Mapping[int, Task]
) -> Staging:
    """The staging with the edits of a table's delta. `rows` are the ids of the rows it shows.

    An edit back to what the task has is no edit. Raises InvalidSyntax when a text was changed that
    holds a character which a table cannot show.
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
    """The staging without one cell."""
    cells = {name: value for name, value in staging.get(task, {}).items() if name != column}
    others = {number: value for number, value in staging.items() if number != task}
    return {**others, task: cells} if cells else others


def rebased(staging: Staging, task: Task, column: str) -> Staging:
    """The staging with one cell taken as an edit of what the task has now."""
    kept = staging[task.id][column]
    cells = {**staging[task.id], column: Staged(cell(task, column), kept.after)}
    return {**staging, task.id: cells}


def collisions(staging: Staging, tasks: Mapping[int, Task]) -> list[Collision]:
    """What cannot be applied without undoing somebody else's change of the same cell."""
    return [
        Collision(task, column, staged.after, cell(task, column))
        for number, cells in staging.items()
        if (task := tasks.get(number))
        for column, staged in cells.items()
        if cell(task, column) not in (staged.before, staged.after)
    ]


def undone(staging: Staging, task: int) -> Staging:
    """The staging without the edits of one task."""
    return {number: cells for number, cells in staging.items() if number != task}


def valid(staging: Staging, invalid: Collection[int]) -> Staging:
    """The staging without the tasks that cannot be applied."""
    return {number: cells for number, cells in staging.items() if number not in invalid}


def invalid_cells(cells: Mapping[str, Staged], dialect: Dialect) -> list[str]:
    """The columns of a task whose own value is wrong; all of them when only together they are."""
    wrong = [name for name in ("name",) if name in cells and check_name(cells[name].after)]
    if "schedule" in cells:
        try:
            check_schedule(cells["schedule"].after, dialect)
        except InvalidSyntax:
            wrong.append("schedule")
    return wrong or list(cells)


def disagrees(delta: Mapping[str, Any], rows: Sequence[int], cells: Mapping[int, Any]) -> bool:
    """Whether a table still shows edits that were discarded, undone or changed elsewhere.

    `cells` has for each row, by its id, what it shall show.
    """
    return any(
        column in cells[rows[int(position)]] and cells[rows[int(position)]][column] != value
        for position, changed in delta.get("edited_rows", {}).items()
        for column, value in changed.items()
    )


def as_json(staging: Staging) -> dict[str, Any]:
    """The staging as a draft keeps it."""
    return {
        str(number): {column: [cell.before, cell.after] for column, cell in cells.items()}
        for number, cells in staging.items()
    }


def from_json(value: Mapping[str, Any]) -> Staging:
    """The staging of a draft; what does not read as one is left out."""
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
    """The edits, each of the version that the page has just read."""
    found = []
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
        found.append(Edit(number, task.version if task else None, fields))
    return found


def summary(staging: Staging) -> str:
    """In words: "3 changes in 2 tasks"."""
    changes = sum(len(cells) for cells in staging.values())
    tasks = len(staging)
    what = "1 change" if changes == 1 else f"{changes} changes"
    return f"{what} in {tasks} {'task' if tasks == 1 else 'tasks'}"
