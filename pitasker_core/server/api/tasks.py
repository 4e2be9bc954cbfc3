"""Tasks over HTTP."""

from typing import Any

from fastapi import APIRouter

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.runs import history, manual, spool
from pitasker_core.runs.why import gathering
from pitasker_core.server import json
from pitasker_core.server.api import models
from pitasker_core.server.api.context import ACTOR, Asked, Exact, TaskId, in_utc
from pitasker_core.server.json import Shape

router = APIRouter(prefix="/tasks")


_NULLS = ("timeout_seconds", "notify")
"""Fields of which null is a value."""


@router.get("", response_model=models.Tasks, response_model_exclude_unset=True)
def listing(environment: Asked, deleted: bool = False) -> Shape:
    """All tasks, each with where it stands; or the deleted ones."""
    return json.tasks(tasks.listing(environment, deleted=deleted))


@router.post("", status_code=201, response_model=models.Applied, response_model_exclude_unset=True)
def create(environment: Asked, new: models.NewTask) -> Shape:
    """Make a task and, if it is system-managed, its entry."""
    done = tasks.create(
        environment,
        ACTOR,
        tasks.NewTask(
            new.name,
            new.cron_schedule,
            new.command,
            system_managed=new.is_system_managed,
            paused=new.paused,
            notes=new.notes,
            labels=tuple(new.labels),
            record_runs=new.record_runs,
            timeout_seconds=new.timeout_seconds,
            no_overlap=new.no_overlap,
            catch_up=new.catch_up,
            ping_url=new.ping_url,
            notify=None if new.notify is None else tuple(new.notify),
        ),
    )
    return json.applied(done)


@router.get("/{task}", response_model=models.Task, response_model_exclude_unset=True)
def get(environment: Asked, task: TaskId) -> Shape:
    """One task."""
    found = tasks.get(environment, task)
    if found.deleted_at:
        raise NotFound(f"Task {task} was deleted.", "POST /api/tasks/{id}/undelete brings it back.")
    return json.task(found)


@router.patch("/{task}", response_model=models.Applied, response_model_exclude_unset=True)
def change(environment: Asked, task: TaskId, wanted: models.TaskChange) -> Shape:
    """Change fields of a task; its entry follows."""
    sent = wanted.model_dump(exclude_unset=True)
    given = {name: value for name, value in sent.items() if value is not None or name in _NULLS}
    version = given.pop("version", None)
    names = {"cron_schedule": "schedule", "is_system_managed": "system_managed"}
    fields = {names.get(name, name): value for name, value in given.items()}
    return json.applied(tasks.change(environment, ACTOR, task, version, **fields))


@router.delete("/{task}", response_model=models.Applied, response_model_exclude_unset=True)
def delete(environment: Asked, task: TaskId) -> Shape:
    """Delete a task and its entry."""
    return json.applied(tasks.delete(environment, ACTOR, task))


@router.post("/{task}/undelete", response_model=models.Applied, response_model_exclude_unset=True)
def undelete(environment: Asked, task: TaskId) -> Shape:
    """Bring a deleted task back, with its entry."""
    return json.applied(tasks.undo_delete(environment, ACTOR, task))


@router.post(
    "/{task}/toggle-system-managed",
    response_model=models.Applied,
    response_model_exclude_unset=True,
)
def toggle_system_managed(environment: Asked, task: TaskId) -> Shape:
    """Put a task into the crontab, or take it out."""
    found = tasks.get(environment, task)
    return _changed(
        environment, task, version=found.version, system_managed=not found.system_managed
    )


@router.post("/{task}/pause", response_model=models.Applied, response_model_exclude_unset=True)
def pause(environment: Asked, task: TaskId, wanted: models.Pause | None = None) -> Shape:
    """Keep a task from running, until a time or until it is resumed."""
    until = wanted.until if wanted else None
    if until is not None:
        until = in_utc(until)
        if until <= clock.now():
            raise InvalidSyntax("This time is past.", "Nothing was changed.")
    return _changed(environment, task, paused=True, paused_until=until)


@router.post("/{task}/resume", response_model=models.Applied, response_model_exclude_unset=True)
def resume(environment: Asked, task: TaskId) -> Shape:
    """Let a paused task run again."""
    return _changed(environment, task, paused=False)


@router.get("/{task}/why", response_model=models.Why)
def why(environment: Asked, task: TaskId) -> Exact:
    """Why a task did not run, or that all is well: each thing that was looked at."""
    return Exact(json.why(gathering.explain(environment, task)))


@router.post("/{task}/run", status_code=202, response_model=models.Started)
def run(environment: Asked, task: TaskId) -> Shape:
    """Start a task now, in cron's environment. It goes on by itself: look at its runs."""
    found = tasks.get(environment, task)
    if found.deleted_at:
        raise NotFound(f"Task {task} was deleted.")
    name = manual.start(environment, ACTOR, found)
    spool.collect(environment)
    found_run = history.named(environment, name)
    return {"name": name, "run": found_run.id if found_run else None}


def _changed(environment: Asked, task: int, version: int | None = None, **fields: Any) -> Shape:
    return json.applied(tasks.change(environment, ACTOR, task, version, **fields))
