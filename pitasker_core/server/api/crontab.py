"""The crontab over HTTP: where it stands, sync, import, export, the raw text and its snapshots."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    ConcurrentModification,
    InvalidSyntax,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from pitasker_core.reports import metrics, status
from pitasker_core.server import json
from pitasker_core.server.api import models
from pitasker_core.server.api.context import ACTOR, Asked, Exact
from pitasker_core.server.json import Shape
from pitasker_core.sync import edit, importing, operation_history, service, validation
from pitasker_core.sync.importing import Import, ImportOptions
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Change, Choice, Fields, Policy
from pitasker_core.sync.service import Request

router = APIRouter()

OperationId = Annotated[int, Path(ge=1, le=models.LARGEST_ID)]
SnapshotId = Annotated[int, Path(ge=1, le=models.LARGEST_ID)]


@router.get("/crontab/status", response_model=models.Status)
def get_status(environment: Asked) -> Shape:
    """Where the tasks and the crontab stand."""
    return json.status(status.status(environment))


@router.get("/crontab/metrics", response_model=models.Metrics)
def get_metrics(environment: Asked) -> Shape:
    """How sync has been doing."""
    return json.metrics(metrics.metrics(environment))


@router.get("/crontab/validate", response_model=models.Validation)
def validate(environment: Asked) -> Exact:
    """What is not in order; changes nothing."""
    return Exact(json.validation(validation.validate(service.preview(environment))))


@router.post("/crontab/sync", response_model=models.Synced)
def sync(environment: Asked, wanted: models.Sync | None = None) -> Shape:
    """Bring the tasks and the crontab in step."""
    wanted = wanted or models.Sync()
    only = None
    if wanted.tasks is not None:
        compared = service.preview(environment)
        tags = {known.task: tag for tag, known in compared.known.items()}
        if missing := [number for number in wanted.tasks if number not in tags]:
            raise NotFound(f"Task {missing[0]} has no entry in the crontab.")
        only = {tags[number] for number in wanted.tasks}
    request = Request(ACTOR, only=only, policy=Policy(wanted.policy), confirmed=wanted.confirmed)
    return json.sync(service.sync(environment, request))


@router.post("/crontab/import", response_model=models.Imported, response_model_exclude_unset=True)
def import_entries(environment: Asked, wanted: models.Import | None = None) -> Shape:
    """Make tasks of entries that are in the crontab."""
    wanted = wanted or models.Import()
    chosen = None
    if wanted.lines is not None:
        _, document = service.read_crontab(environment)
        if missing := [n for n in wanted.lines if n > len(document.lines)]:
            raise NotFound(f"The crontab has no line {missing[0]}.")
        chosen = [Import(n, document.lines[n - 1].raw) for n in dict.fromkeys(wanted.lines)]
    options = ImportOptions(wanted.skip_duplicates, wanted.is_system_managed, wanted.generate_names)
    return json.imported(importing.import_entries(environment, ACTOR, chosen, options))


@router.post("/crontab/export", response_model=models.Exported)
def export(environment: Asked, wanted: models.Export | None = None) -> Shape:
    """Write tasks to the crontab."""
    return json.export(service.export(environment, ACTOR, wanted.tasks if wanted else None))


# --- The raw text --------------------------------------------------------------------------------


@router.get("/crontab/raw", response_model=models.RawText)
def get_raw(environment: Asked) -> Exact:
    """The whole crontab. Its `ETag` is what a `PUT` must name."""
    text, _ = service.read_crontab(environment)
    return Exact(json.raw(text), headers={"etag": f'"{digest(text)}"'})


@router.put("/crontab/raw", response_model=models.Saved, response_model_exclude_unset=True)
def put_raw(
    environment: Asked, wanted: models.Raw, if_match: Annotated[str | None, Header()] = None
) -> Exact:
    """Install a whole text in the place of the one that `If-Match` names; the tasks follow."""
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
                environment, wanted.content, based_on, actor=ACTOR, confirmed=wanted.confirmed
            )
        )
    except ConcurrentModification as problem:
        raise PreconditionFailed(problem.message, problem.advice) from problem


@router.get("/snapshots")
def snapshots(
    environment: Asked, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[models.Snapshot]:
    """The newest earlier texts, newest first."""
    return [
        models.Snapshot.model_validate(json.snapshot(one))
        for one in edit.snapshots(environment, limit)
    ]


@router.get("/snapshots/{snapshot}", response_model=models.SnapshotText)
def snapshot(environment: Asked, snapshot: SnapshotId) -> Exact:
    """One earlier text."""
    return Exact(json.snapshot(edit.snapshot(environment, snapshot)))


@router.post(
    "/snapshots/{snapshot}/restore",
    response_model=models.Saved,
    response_model_exclude_unset=True,
)
def restore(
    environment: Asked, snapshot: SnapshotId, if_match: Annotated[str | None, Header()] = None
) -> Exact:
    """Install the text of a snapshot in the place of the one that `If-Match` names; the tasks
    follow. Without it, a text that others have written last is left alone."""
    if if_match is None:
        return _saved(edit.restore(environment, snapshot, actor=ACTOR))
    try:
        return _saved(edit.restore(environment, snapshot, actor=ACTOR, shown=_named(if_match)))
    except ConcurrentModification as problem:
        raise PreconditionFailed(problem.message, problem.advice) from problem


def _named(if_match: str) -> str:
    return if_match.strip().removeprefix("W/").strip('"')


def _saved(saved: edit.Saved) -> Exact:
    return Exact(
        {
            **json.raw(saved.text),
            "backup": saved.backup,
            **(json.error(saved.problem) if saved.problem else {}),
        }
    )


# --- Conflicts and history -----------------------------------------------------------------------


@router.get("/conflicts")
def conflicts(environment: Asked) -> list[models.Change]:
    """What was changed on both sides, differently, and waits for a choice."""
    compared = service.preview(environment)
    ids = {tag: known.task for tag, known in compared.known.items()}
    return [models.Change.model_validate(json.change(one, ids)) for one in compared.plan.conflicts]


@router.post("/conflicts/{crontab_id}/resolve", response_model=models.Synced)
def resolve(environment: Asked, crontab_id: UUID, wanted: models.Resolution) -> Shape:
    """Decide about one task that is not in step: whose version to take, or an explicit mix."""
    change = _change(environment, crontab_id)
    shown = (_fields(wanted.database), _fields(wanted.crontab))
    seen = [Change(crontab_id, change.kind, change.base, *shown, None)]
    take = wanted.take
    choice: Choice | None = Policy(take) if isinstance(take, str) else _fields(take)
    if choice is None:
        raise InvalidSyntax("Say whose version to take.")
    request = Request(ACTOR, "resolve", {crontab_id}, {crontab_id: choice}, seen)
    return json.sync(service.sync(environment, request))


def _change(environment: Environment, tag: UUID) -> Change:
    found = [c for c in service.preview(environment).plan.changes if c.tag == tag]
    if not found:
        raise NotFound("Nothing with this id is out of step.")
    return found[0]


def _fields(sent: models.Fields | models.Side | None) -> Fields | None:
    return Fields.from_dict(sent.model_dump()) if sent else None


@router.get("/operations")
def operations(
    environment: Asked, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> list[models.Operation]:
    """The newest operations, newest first."""
    found: list[Any] = [
        json.operation(one) for one in operation_history.operations(environment, limit)
    ]
    return [models.Operation.model_validate(one) for one in found]


@router.get("/operations/{operation}", response_model=models.OperationDetails)
def operation(environment: Asked, operation: OperationId) -> Exact:
    """One operation, with what it did to each task."""
    return Exact(json.operation(operation_history.operation(environment, operation)))
