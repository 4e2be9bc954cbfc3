"""Tasks over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.runs import history, manual, spool
from pitasker_core.runs.why import gathering
from pitasker_core.server.answers.reports import Started, Why
from pitasker_core.server.answers.tasks import NAMES, Applied, Task, Tasks, task_answer
from pitasker_core.server.api import requests
from pitasker_core.server.api.cached_answer import CachedAnswer
from pitasker_core.server.api.context import ACTOR, Asked, Exact, TaskId, in_utc, respond
from pitasker_core.sync.stop_managing import stop_managing

router = APIRouter(prefix="/tasks")

IfNoneMatch = Annotated[str | None, Header()]

_FIELDS = {answered: name for name, answered in NAMES.items()}
"""The name in `tasks.Task` of each field of a request."""

_NULLS = ("timeout_seconds", "notify")
"""Fields of which null is a value."""

_LIST = CachedAnswer(
    lambda environment: tasks.peek(environment),
    lambda environment: tasks.current(environment),
    Tasks.of,
)


@router.get("", response_model=Tasks)
async def listing(
    environment: Asked, deleted: bool = False, if_none_match: IfNoneMatch = None
) -> Response:
    """All tasks with their states, or the deleted ones.

    The list of all tasks has an `ETag`; with `If-None-Match` an unchanged list is answered by 304.
    It is at most one second old, and never older than a change by this server.
    """
    if deleted:
        answer = await run_in_threadpool(tasks.listing, environment, deleted=True)
        return respond(Tasks.of(answer))
    return await _LIST.respond(environment, if_none_match)


@router.post("", status_code=201, response_model=Applied)
def create(environment: Asked, new: requests.NewTask) -> Exact:
    """Create a task and, if it is system-managed, its entry."""
    created = tasks.create(environment, ACTOR, tasks.NewTask(**_values(new.model_dump())))
    return respond(Applied.of(created), 201)


@router.get("/{task}", response_model=Task)
def get(environment: Asked, task: TaskId) -> Exact:
    """One task."""
    return respond(task_answer(_existing(environment, task)))


@router.patch("/{task}", response_model=Applied)
def change(environment: Asked, task: TaskId, change: requests.TaskChange) -> Exact:
    """Change fields of a task; its entry follows."""
    sent = change.model_dump(exclude_unset=True)
    given = {name: value for name, value in sent.items() if value is not None or name in _NULLS}
    version = given.pop("version", None)
    return _changed(environment, task, version, **_values(given))


@router.delete("/{task}", response_model=Applied)
def delete(environment: Asked, task: TaskId) -> Exact:
    """Delete a task and its entry."""
    return respond(Applied.of(tasks.delete(environment, ACTOR, task)))


@router.post("/{task}/undelete", response_model=Applied)
def undelete(environment: Asked, task: TaskId) -> Exact:
    """Restore a deleted task and its entry."""
    return respond(Applied.of(tasks.undo_delete(environment, ACTOR, task)))


@router.post("/{task}/stop-managing", status_code=204, response_class=Response)
def stop(environment: Asked, task: TaskId) -> Response:
    """Stop managing a task: delete it and leave its entry in the crontab, unmanaged."""
    stop_managing(environment, ACTOR, [_existing(environment, task).id])
    return Response(status_code=204)


@router.post("/{task}/toggle-system-managed", response_model=Applied)
def toggle_system_managed(environment: Asked, task: TaskId) -> Exact:
    """Add the task's entry to the crontab, or remove it."""
    now = tasks.get(environment, task)
    return _changed(environment, task, now.version, system_managed=not now.system_managed)


@router.post("/{task}/pause", response_model=Applied)
def pause(environment: Asked, task: TaskId, pause: requests.Pause | None = None) -> Exact:
    """Pause a task, until a time or until it is resumed."""
    until = pause.until if pause else None
    if until is not None:
        until = in_utc(until)
        if until <= clock.now():
            raise InvalidSyntax("This time is past.", "Nothing was changed.")
    return _changed(environment, task, paused=True, paused_until=until)


@router.post("/{task}/resume", response_model=Applied)
def resume(environment: Asked, task: TaskId) -> Exact:
    """Resume a paused task."""
    return _changed(environment, task, paused=False)


@router.get("/{task}/why", response_model=Why)
def why(environment: Asked, task: TaskId) -> Exact:
    """Why a task did not run, or that nothing is wrong, with every check."""
    return respond(Why.of(gathering.explain(environment, task)))


@router.post("/{task}/run", status_code=202, response_model=Started)
def run(environment: Asked, task: TaskId) -> Exact:
    """Start a task now, in cron's environment. The answer does not wait for its end."""
    name = manual.start(environment, ACTOR, _existing(environment, task))
    spool.collect(environment)
    run = history.named(environment, name)
    return respond(Started(name, run.id if run else None), 202)


def _existing(environment: Asked, task: int) -> tasks.Task:
    existing = tasks.get(environment, task)
    if existing.deleted_at:
        raise NotFound(f"Task {task} was deleted.", "POST /api/tasks/{id}/undelete brings it back.")
    return existing


def _changed(environment: Asked, task: int, version: int | None = None, **fields: Any) -> Exact:
    return respond(Applied.of(tasks.change(environment, ACTOR, task, version, **fields)))


def _values(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a request by their names in `tasks.Task`."""
    return {
        _FIELDS[name]: tuple(value) if isinstance(value, list) else value
        for name, value in sent.items()
    }
