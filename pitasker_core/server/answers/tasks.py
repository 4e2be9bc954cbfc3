from typing import TYPE_CHECKING, Any

from pitasker_core.server.answers.problems import (
    Problem,
    TaskError,
    TaskNote,
    task_errors,
    task_notes,
)
from pitasker_core.server.answers.wire import answer, answer_from
from pitasker_core.tasks import model

if TYPE_CHECKING:
    from pitasker_core.tasks import editing, task_list

NAMES = {
    **{name: name for name in model.TASK_NAMES if name != "definition_changed_at"},
    "schedule": "cron_schedule",
    "system_managed": "is_system_managed",
    "status": "last_result",
    "tag": "crontab_id",
}
"""The name here of each field of `tasks.Task`; what has none is not answered."""

if TYPE_CHECKING:

    class Task:
        """A task."""
else:
    Task = answer_from(model.Task, NAMES, "Task", "A task.")


@answer
class TaskState(Task):
    """A task with its state, and the reason for the state."""

    state: str
    detail: str


@answer
class Tasks:
    """All tasks. `error` is why the crontab could not be compared."""

    tasks: list[TaskState]
    error: Problem | None = None

    @classmethod
    def of(cls, listing: "task_list.Listing") -> "Tasks":
        states = [
            TaskState(
                **_values(task),
                state=listing.states[task.id].value,
                detail=listing.details[task.id],
            )
            for task in listing.tasks
        ]
        return cls(states, Problem.of(listing.problem))


@answer
class Applied:
    """Saved tasks. `error` and `errors` are why the crontab does not follow yet."""

    tasks: list[Task]
    errors: list[TaskError]
    notes: list[TaskNote]
    error: Problem | None = None

    @classmethod
    def of(cls, applied: "editing.Applied") -> "Applied":
        return cls(
            [task_answer(task) for task in applied.tasks],
            task_errors(applied.failures),
            task_notes(applied.notes),
            Problem.of(applied.problem),
        )


def task_answer(task: model.Task) -> Task:
    return Task(**_values(task))


def _values(task: model.Task) -> dict[str, Any]:
    return {answered: getattr(task, name) for name, answered in NAMES.items()}
