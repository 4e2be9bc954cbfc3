"""Tasks: create, change, pause, delete and undo, and where each task stands."""

from pitasker_core.tasks.checks import (
    LONGEST_LABEL,
    LONGEST_NOTES,
    MOST_LABELS,
    check,
    check_schedule,
)
from pitasker_core.tasks.editing import (
    Applied,
    Preview,
    apply,
    change,
    create,
    delete,
    preview,
    resume_due,
    undo_delete,
)
from pitasker_core.tasks.model import Edit, NewTask, State, Task, TaskValues
from pitasker_core.tasks.task_list import Listing, get, listing
from pitasker_core.tasks.undoing import undo, undo_operation, undo_sync

__all__ = [
    "LONGEST_LABEL",
    "LONGEST_NOTES",
    "MOST_LABELS",
    "Applied",
    "Edit",
    "Listing",
    "NewTask",
    "Preview",
    "State",
    "Task",
    "TaskValues",
    "apply",
    "change",
    "check",
    "check_schedule",
    "create",
    "delete",
    "get",
    "listing",
    "preview",
    "resume_due",
    "undo",
    "undo_delete",
    "undo_operation",
    "undo_sync",
]
