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
    create_all,
    delete,
    preview,
    resume_due,
    undo_delete,
)
from pitasker_core.tasks.model import Edit, NewTask, State, Task, TaskValues
from pitasker_core.tasks.task_list import Listing, get, listing
from pitasker_core.tasks.undoing import undo, undo_operation, undo_sync
from pitasker_core.tasks.view import current, peek, version
