"""Runs over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from pitasker_core.base.errors import NotFound
from pitasker_core.runs import history, manual
from pitasker_core.server import json
from pitasker_core.server.api import models
from pitasker_core.server.api.context import Asked, in_utc
from pitasker_core.server.json import Shape

router = APIRouter(prefix="/runs")

_AS_TEXT: dict[str, object] = {"text/plain": {"schema": {"type": "string"}}}

RunId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("")
def runs(environment: Asked, wanted: Annotated[models.RunsWanted, Query()]) -> list[models.Run]:
    """The newest runs, of one task or all, of one kind or all, newest first."""
    since = in_utc(wanted.since) if wanted.since else None
    kind = wanted.kind.capitalize()
    found = history.runs(environment, wanted.limit, wanted.task, kind, since)
    return [models.Run.model_validate(json.run(one)) for one in found]


@router.get("/{run}", response_model=models.Run)
def run(environment: Asked, run: RunId) -> Shape:
    """One run."""
    return json.run(history.run(environment, run))


@router.get("/{run}/output", response_class=Response, responses={200: {"content": _AS_TEXT}})
def output(environment: Asked, run: RunId) -> Response:
    """What a run printed, byte for byte; so far, while it goes on."""
    # Whatever a job prints, no browser shall take it for a page.
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(history.output(environment, run), media_type="text/plain", headers=headers)


@router.post("/{run}/stop", status_code=202, response_model=models.Run)
def stop(environment: Asked, run: RunId) -> Shape:
    """End a run that goes on, as `kill` would."""
    found = history.run(environment, run)
    if found.name is None:
        raise NotFound("This run has ended already.")
    manual.stop(environment, found.name)
    return json.run(found)
