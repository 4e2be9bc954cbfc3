"""Tasks over HTTP."""

from typing import Any

from fastapi import APIRouter

from pitasker_core import clock, shapes, tasks
from pitasker_core.api import models
from pitasker_core.api.context import ACTOR, Asked, Exact, TaskId, in_utc
from pitasker_core.errors import InvalidSyntax, NotFound
from pitasker_core.runs import by_hand, history, spool
from pitasker_core.runs.why import circumstances
from pitasker_core.shapes import Shape

router = APIRouter(prefix="/tasks")


_NULLS = ("timeout_seconds", "notify")
"""Fields of which null is a value."""


@router.get("", response_model=models.Tasks, response_model_exclude_unset=True)
def listing(settings: Asked, deleted: bool = False) -> Shape:
    """All tasks, each with where it stands; or the deleted ones."""
    return shapes.tasks(tasks.listing(settings, deleted=deleted))


@router.post("", status_code=201, response_model=models.Applied, response_model_exclude_unset=True)
def create(settings: Asked, new: models.NewTask) -> Shape:
    """Make a task and, if it is system-managed, its entry."""
    done = tasks.create(
        settings,
        ACTOR,
        new.name,
        new.cron_schedule,
        new.command,
        system_managed=new.is_system_managed,
        paused=new.paused,
        notes=new.notes,
        labels=new.labels,
        record_runs=new.record_runs,
        timeout_seconds=new.timeout_seconds,
        no_overlap=new.no_overlap,
        catch_up=new.catch_up,
        ping_url=new.ping_url,
        notify=new.notify,
    )
    return shapes.applied(done)


@router.get("/{task}", response_model=models.Task, response_model_exclude_unset=True)
def get(settings: Asked, task: TaskId) -> Shape:
    """One task."""
    found = tasks.get(settings, task)
    if found.deleted_at:
        raise NotFound(f"Task {task} was deleted.", "POST /api/tasks/{id}/undelete brings it back.")
    return shapes.task(found)


@router.patch("/{task}", response_model=models.Applied, response_model_exclude_unset=True)
def change(settings: Asked, task: TaskId, wanted: models.TaskChange) -> Shape:
    """Change fields of a task; its entry follows."""
    sent = wanted.model_dump(exclude_unset=True)
    given = {name: value for name, value in sent.items() if value is not None or name in _NULLS}
    version = given.pop("version", None)
    names = {"cron_schedule": "schedule", "is_system_managed": "system_managed"}
    fields = {names.get(name, name): value for name, value in given.items()}
    return shapes.applied(tasks.change(settings, ACTOR, task, version, **fields))


@router.delete("/{task}", response_model=models.Applied, response_model_exclude_unset=True)
def delete(settings: Asked, task: TaskId) -> Shape:
    """Delete a task and its entry."""
    return shapes.applied(tasks.delete(settings, ACTOR, task))


@router.post("/{task}/undelete", response_model=models.Applied, response_model_exclude_unset=True)
def undelete(settings: Asked, task: TaskId) -> Shape:
    """Bring a deleted task back, with its entry."""
    return shapes.applied(tasks.undo_delete(settings, ACTOR, task))


@router.post(
    "/{task}/toggle-system-managed",
    response_model=models.Applied,
    response_model_exclude_unset=True,
)
def toggle_system_managed(settings: Asked, task: TaskId) -> Shape:
    """Put a task into the crontab, or take it out."""
    found = tasks.get(settings, task)
    return _changed(
        settings, task, version=found.version, system_managed=not found.is_system_managed
    )


@router.post("/{task}/pause", response_model=models.Applied, response_model_exclude_unset=True)
def pause(settings: Asked, task: TaskId, wanted: models.Pause | None = None) -> Shape:
    """Keep a task from running, until a time or until it is resumed."""
    until = wanted.until if wanted else None
    if until is not None:
        until = in_utc(until)
        if until <= clock.now():
            raise InvalidSyntax("This time is past.", "Nothing was changed.")
    return _changed(settings, task, paused=True, paused_until=until)


@router.post("/{task}/resume", response_model=models.Applied, response_model_exclude_unset=True)
def resume(settings: Asked, task: TaskId) -> Shape:
    """Let a paused task run again."""
    return _changed(settings, task, paused=False)


@router.get("/{task}/why", response_model=models.Why)
def why(settings: Asked, task: TaskId) -> Exact:
    """Why a task did not run, or that all is well: each thing that was looked at."""
    return Exact(shapes.why(circumstances.explain(settings, task)))


@router.post("/{task}/run", status_code=202, response_model=models.Started)
def run(settings: Asked, task: TaskId) -> Shape:
    """Start a task now, in cron's environment. It goes on by itself: look at its runs."""
    found = tasks.get(settings, task)
    if found.deleted_at:
        raise NotFound(f"Task {task} was deleted.")
    name = by_hand.start(settings, ACTOR, found)
    spool.collect(settings)
    found_run = history.named(settings, name)
    return {"name": name, "run": found_run.id if found_run else None}


def _changed(settings: Asked, task: int, version: int | None = None, **fields: Any) -> Shape:
    return shapes.applied(tasks.change(settings, ACTOR, task, version, **fields))
