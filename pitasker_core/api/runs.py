"""Runs over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from pitasker_core import shapes
from pitasker_core.api import models
from pitasker_core.api.context import Asked
from pitasker_core.errors import NotFound
from pitasker_core.runs import by_hand, history
from pitasker_core.shapes import Shape

router = APIRouter(prefix="/runs")

RunId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("")
def runs(settings: Asked, wanted: Annotated[models.RunsWanted, Query()]) -> list[models.Run]:
    """The newest runs, of one task or all, newest first."""
    found = history.runs(settings, wanted.limit, wanted.task)
    return [models.Run.model_validate(shapes.run(one)) for one in found]


@router.get("/{run}", response_model=models.Run)
def run(settings: Asked, run: RunId) -> Shape:
    """One run."""
    return shapes.run(history.run(settings, run))


@router.get("/{run}/output", response_class=Response)
def output(settings: Asked, run: RunId) -> Response:
    """What a run that has ended printed, byte for byte."""
    return Response(history.output(settings, run), media_type="text/plain; charset=utf-8")


@router.post("/{run}/stop", status_code=202, response_model=models.Run)
def stop(settings: Asked, run: RunId) -> Shape:
    """End a run that goes on, as `kill` would."""
    found = history.run(settings, run)
    if found.name is None:
        raise NotFound("This run has ended already.")
    by_hand.stop(settings, found.name)
    return shapes.run(found)
