"""The crontabs of the database over HTTP, and the answer to which of them is this one."""

from typing import Annotated

from fastapi import APIRouter, Path

from pitasker_core import crontabs, shapes
from pitasker_core.api import models
from pitasker_core.api.context import ACTOR, Asked
from pitasker_core.shapes import Shape

router = APIRouter()

CrontabId = Annotated[int, Path(ge=1, le=models.LARGEST_ID)]


@router.get("/crontabs", response_model=models.Crontabs)
def get_crontabs(settings: Asked) -> Shape:
    """All crontabs of the database; first this one, or those that it may be."""
    return shapes.crontabs(settings.identity, crontabs.listing(settings))


@router.post("/crontabs", status_code=201, response_model=models.Crontabs)
def start_new(settings: Asked) -> Shape:
    """Answer UNKNOWN_CRONTAB: this crontab is none of the known ones."""
    crontabs.start_new(settings, ACTOR)
    return get_crontabs(settings)


@router.post("/crontabs/{crontab}/continue", response_model=models.Crontabs)
def continue_as(settings: Asked, crontab: CrontabId) -> Shape:
    """Answer UNKNOWN_CRONTAB: this crontab is that one, under another name."""
    crontabs.continue_as(settings, ACTOR, crontab)
    return get_crontabs(settings)
