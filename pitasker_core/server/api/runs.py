"""Runs over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from pitasker_core.base.errors import NotFound
from pitasker_core.runs import history, manual
from pitasker_core.server.answers.reports import Run
from pitasker_core.server.api import requests
from pitasker_core.server.api.context import Asked, Exact, in_utc, respond

router = APIRouter(prefix="/runs")

_AS_TEXT: dict[str, object] = {"text/plain": {"schema": {"type": "string"}}}

RunId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", response_model=list[Run])
def runs(environment: Asked, query: Annotated[requests.Runs, Query()]) -> Exact:
    """The newest runs, of one task or all, of one kind or all, newest first."""
    since = in_utc(query.since) if query.since else None
    kind = query.kind.capitalize()
    newest = history.runs(environment, query.limit, query.task, kind, since)
    return respond([Run.of(run) for run in newest])


@router.get("/{run}", response_model=Run)
def run(environment: Asked, run: RunId) -> Exact:
    """One run."""
    return respond(Run.of(history.run(environment, run)))


@router.get("/{run}/output", response_class=Response, responses={200: {"content": _AS_TEXT}})
def output(environment: Asked, run: RunId) -> Response:
    """The output of a run, byte for byte; the output so far, while it is running."""
    # A browser must not treat the output of a job as a page.
    headers = {"X-Content-Type-Options": "nosniff"}
    return Response(history.output(environment, run), media_type="text/plain", headers=headers)


@router.post("/{run}/stop", status_code=202, response_model=Run)
def stop(environment: Asked, run: RunId) -> Exact:
    """Stop a run that has not ended, as `kill` does."""
    stopped = history.run(environment, run)
    if stopped.name is None:
        raise NotFound("This run has ended already.")
    manual.stop(environment, stopped.name)
    return respond(Run.of(stopped), 202)
