"""The crontab over HTTP: status, sync, import, export, the raw text and its snapshots."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    ConcurrentModification,
    InvalidSyntax,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from pitasker_core.reports import status
from pitasker_core.server.answers import sync as answers
from pitasker_core.server.answers.reports import Metrics, Status
from pitasker_core.server.api import requests
from pitasker_core.server.api.cached_answer import CachedAnswer
from pitasker_core.server.api.context import ACTOR, Asked, Exact, respond
from pitasker_core.sync import edit, importing, operation_history, service, validation
from pitasker_core.sync.importing import Import, ImportOptions
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Change, Choice, Fields, Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.store import OperationKind

router = APIRouter()

OperationId = Annotated[int, Path(ge=1, le=requests.LARGEST_ID)]
SnapshotId = Annotated[int, Path(ge=1, le=requests.LARGEST_ID)]


_STATUS = CachedAnswer(status.peek_status, status.current_status, Status.of)


@router.get("/crontab/status", response_model=Status)
async def get_status(
    environment: Asked, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The state of sync, at most one second old, with an `ETag` for `If-None-Match`."""
    return await _STATUS.respond(environment, if_none_match)


_METRICS = CachedAnswer(status.peek_metrics, status.current_metrics, Metrics.of)


@router.get("/crontab/metrics", response_model=Metrics)
async def get_metrics(environment: Asked) -> Response:
    """Sync in numbers, at most one second old."""
    return await _METRICS.respond(environment, None)


@router.get("/crontab/validate", response_model=answers.Validation)
def validate(environment: Asked) -> Exact:
    """All differences between the tasks and the crontab; changes nothing."""
    report = validation.validate(service.preview(environment))
    return respond(answers.Validation.of(report))


@router.post("/crontab/sync", response_model=answers.Synced)
def sync(environment: Asked, body: requests.Sync | None = None) -> Exact:
    """Sync the tasks and the crontab."""
    body = body or requests.Sync()
    only = None
    if body.tasks is not None:
        compared = service.preview(environment)
        tags = {task.task: tag for tag, task in compared.tasks_by_tag.items()}
        if missing := [number for number in body.tasks if number not in tags]:
            raise NotFound(f"Task {missing[0]} has no entry in the crontab.")
        only = {tags[number] for number in body.tasks}
    request = Request(ACTOR, only=only, policy=Policy(body.policy), confirmed=body.confirmed)
    return respond(answers.Synced.of(service.sync(environment, request)))


@router.post("/crontab/import", response_model=answers.Imported)
def import_entries(environment: Asked, body: requests.Import | None = None) -> Exact:
    """Import entries of the crontab as tasks."""
    body = body or requests.Import()
    chosen = None
    if body.lines is not None:
        _, document = service.read_crontab(environment)
        if missing := [n for n in body.lines if n > len(document.lines)]:
            raise NotFound(f"The crontab has no line {missing[0]}.")
        chosen = [Import(n, document.lines[n - 1].raw) for n in dict.fromkeys(body.lines)]
    options = ImportOptions(body.skip_duplicates, body.is_system_managed, body.generate_names)
    result = importing.import_entries(environment, ACTOR, chosen, options)
    return respond(answers.Imported.of(result))


@router.post("/crontab/export", response_model=answers.Exported)
def export(environment: Asked, body: requests.Export | None = None) -> Exact:
    """Write tasks to the crontab."""
    result = service.export(environment, ACTOR, body.tasks if body else None)
    return respond(answers.Exported.of(result))


# --- The raw text --------------------------------------------------------------------------------


@router.get("/crontab/raw", response_model=answers.RawText)
def get_raw(environment: Asked) -> Exact:
    """The whole crontab. Its `ETag` is what a `PUT` must name."""
    text, _ = service.read_crontab(environment)
    return respond(answers.RawText.of(text), headers={"etag": f'"{digest(text)}"'})


@router.put("/crontab/raw", response_model=answers.Saved)
def put_raw(
    environment: Asked, body: requests.Raw, if_match: Annotated[str | None, Header()] = None
) -> Exact:
    """Replace the text that `If-Match` names by another; the tasks follow."""
    if not if_match:
        raise PreconditionRequired(
            "Say which text this one was based on.", "Send the ETag of GET as If-Match."
        )
    based_on, _ = service.read_crontab(environment)
    if _named(if_match) != digest(based_on):
        raise PreconditionFailed(
            "The crontab is another than the one that this text was based on.",
            "Nothing was changed. Get it again.",
        )
    try:
        return _saved(
            edit.save_raw(
                environment, body.content, based_on, actor=ACTOR, confirmed=body.confirmed
            )
        )
    except ConcurrentModification as problem:
        raise PreconditionFailed(problem.message, problem.advice) from problem


@router.get("/snapshots", response_model=list[answers.Snapshot])
def snapshots(environment: Asked, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Exact:
    """The newest earlier texts, newest first."""
    newest = edit.snapshots(environment, limit)
    return respond([answers.Snapshot.of(snapshot) for snapshot in newest])


@router.get("/snapshots/{snapshot}", response_model=answers.SnapshotText)
def snapshot(environment: Asked, snapshot: SnapshotId) -> Exact:
    """One earlier text."""
    return respond(answers.SnapshotText.of(edit.snapshot(environment, snapshot)))


@router.post("/snapshots/{snapshot}/restore", response_model=answers.Saved)
def restore(
    environment: Asked, snapshot: SnapshotId, if_match: Annotated[str | None, Header()] = None
) -> Exact:
    """Replace the text that `If-Match` names by the text of a snapshot; the tasks follow. Without
    `If-Match`, a crontab that was last edited outside PiTasker is not replaced."""
    if if_match is None:
        return _saved(edit.restore(environment, snapshot, actor=ACTOR))
    try:
        return _saved(edit.restore(environment, snapshot, actor=ACTOR, shown=_named(if_match)))
    except ConcurrentModification as problem:
        raise PreconditionFailed(problem.message, problem.advice) from problem


def _named(if_match: str) -> str:
    return if_match.strip().removeprefix("W/").strip('"')


def _saved(saved: edit.Saved) -> Exact:
    return respond(answers.Saved.of(saved))


# --- Conflicts and history -----------------------------------------------------------------------


@router.get("/conflicts", response_model=list[answers.Change])
def conflicts(environment: Asked) -> Exact:
    """Tasks that were changed on both sides, differently, and need a decision."""
    comparison = service.preview(environment)
    ids = {tag: task.task for tag, task in comparison.tasks_by_tag.items()}
    return respond([answers.Change.of(change, ids) for change in comparison.plan.conflicts])


@router.post("/conflicts/{crontab_id}/resolve", response_model=answers.Synced)
def resolve(environment: Asked, crontab_id: UUID, body: requests.Resolution) -> Exact:
    """Resolve one task that is out of sync: keep one side, or an explicit mix."""
    change = _change(environment, crontab_id)
    shown = (_fields(body.database), _fields(body.crontab))
    seen = [Change(crontab_id, change.kind, change.base, *shown, None)]
    take = body.take
    choice: Choice | None = Policy(take) if isinstance(take, str) else _fields(take)
    if choice is None:
        raise InvalidSyntax("Say which version to keep.")
    request = Request(ACTOR, OperationKind.RESOLVE, {crontab_id}, {crontab_id: choice}, seen)
    return respond(answers.Synced.of(service.sync(environment, request)))


def _change(environment: Environment, tag: UUID) -> Change:
    changes = [c for c in service.preview(environment).plan.changes if c.tag == tag]
    if not changes:
        raise NotFound("Nothing with this id is out of sync.")
    return changes[0]


def _fields(sent: requests.Fields | requests.Side | None) -> Fields | None:
    return Fields.from_dict(sent.model_dump()) if sent else None


@router.get("/operations", response_model=list[answers.Operation])
def operations(environment: Asked, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> Exact:
    """The newest operations, newest first."""
    newest = operation_history.operations(environment, limit)
    return respond([answers.Operation.of(operation) for operation in newest])


@router.get("/operations/{operation}", response_model=answers.OperationDetails)
def operation(environment: Asked, operation: OperationId) -> Exact:
    """One operation, with what it did to each task."""
    return respond(answers.OperationDetails.of(operation_history.operation(environment, operation)))
