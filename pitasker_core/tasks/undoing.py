"""Undo edits, syncs and operations."""

from collections.abc import Mapping
from typing import Any

from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, Stale
from pitasker_core.crontab.recording import recording
from pitasker_core.sync.merge import Fields
from pitasker_core.sync.operation_history import Operation, operation
from pitasker_core.sync.service import SyncResult
from pitasker_core.sync.store import OperationKind
from pitasker_core.tasks.editing import Applied, apply, undo_delete
from pitasker_core.tasks.model import Edit, Task, task_values
from pitasker_core.tasks.task_list import get_several

_Overwritten = Mapping[int, tuple[Fields | None, Fields | None]]
"""By task: the values before, and those that replaced them; None for no entry."""


def undo(environment: Environment, actor: Actor, applied: Applied) -> Applied:
    """Undo what `create`, `apply`, `change` or `delete` did.

    Raises Stale when one of the tasks was changed since.
    """
    if applied.kind == OperationKind.DELETE:
        return undo_delete(environment, actor, *(task.id for task in applied.tasks))
    if not applied.before:
        edits = [Edit(task.id, task.version, delete=True) for task in applied.tasks]
        return apply(environment, actor, edits, OperationKind.UNDO)
    versions = {task.id: task.version for task in applied.tasks}
    edits = [
        Edit(task.id, versions[task.id], task_values(task), is_back=True) for task in applied.before
    ]
    return apply(environment, actor, edits, OperationKind.UNDO)


def undo_sync(environment: Environment, actor: Actor, result: SyncResult) -> Applied:
    """Undo a sync: each task gets the values that the sync overwrote.

    Raises Stale when one of them was changed since, NotFound when it was deleted.
    """
    overwritten = {change.tag: (change.ours, change.result) for change in result.pulled}
    overwritten |= {change.tag: (change.theirs, change.result) for change in result.pushed}
    return _restore_values(
        environment, actor, {result.tasks[tag]: pair for tag, pair in overwritten.items()}
    )


def undo_operation(environment: Environment, actor: Actor, undone: Operation) -> Applied:
    """Undo an operation of the history; see `undo_sync`."""
    overwritten: dict[int, tuple[Fields | None, Fields | None]] = {}
    details = operation(environment, undone.id).details
    for part, *sides in (("pulled", "database", "crontab"), ("pushed", "crontab", "database")):
        for change in details.get(part, []):
            if change.get("inexact"):
                raise InvalidSyntax(
                    "This cannot be undone: the entry held bytes that are not UTF-8.",
                    "The snapshot from before this operation has them: restore that.",
                )
            before, after = (
                Fields.from_dict(change[side]) if change[side] else None for side in sides
            )
            if change["task"] is not None:
                overwritten[change["task"]] = (before, after)
    return _restore_values(environment, actor, overwritten)


def _restore_values(environment: Environment, actor: Actor, overwritten: _Overwritten) -> Applied:
    """Give tasks their values from before, if nothing has changed them since."""
    edits = []
    tasks = get_several(environment, list(overwritten))
    for task, (before, after) in zip(tasks, overwritten.values(), strict=True):
        if after and _entry_fields(task) != after:
            raise Stale(f"Task “{task.name}” was changed since.", "Undo it by hand.")
        fields = _edit_fields(before) if before else {"system_managed": False}
        edits.append(Edit(task.id, task.version, fields, is_back=True))
    return apply(environment, actor, edits, OperationKind.UNDO)


def _entry_fields(task: Task) -> Fields:
    """Return what the entry of a task shows."""
    how = recording(
        on=task.record_runs, timeout_seconds=task.timeout_seconds, no_overlap=task.no_overlap
    )
    return Fields(task.name, task.schedule, task.command, task.paused, how)


def _edit_fields(fields: Fields) -> dict[str, Any]:
    """Return the fields of an edit that gives a task the values of an entry."""
    how = fields.recording
    limits = {"timeout_seconds": how.timeout_seconds, "no_overlap": how.no_overlap}
    return {
        "system_managed": True,
        "name": fields.name,
        "schedule": fields.schedule,
        "command": fields.command,
        "paused": fields.paused,
        "record_runs": how.on,
        **(limits if how.on else {}),
    }
