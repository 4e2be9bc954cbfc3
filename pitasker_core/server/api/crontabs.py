"""The crontabs of the database over HTTP, and the answer to which of them is this one."""

from typing import Annotated

from fastapi import APIRouter, Path

from pitasker_core.server import crontabs, json
from pitasker_core.server.api import models
from pitasker_core.server.api.context import ACTOR, Asked
from pitasker_core.server.json import Shape

router = APIRouter()

CrontabId = Annotated[int, Path(ge=1, le=models.LARGEST_ID)]


@router.get("/crontabs", response_model=models.Crontabs)
def get_crontabs(environment: Asked) -> Shape:
    """All crontabs of the database; first this one, or those that it may be."""
    return json.crontabs(environment.identity, crontabs.listing(environment))


@router.post("/crontabs", status_code=201, response_model=models.Crontabs)
def start_new(environment: Asked) -> Shape:
    """Answer UNKNOWN_CRONTAB: this crontab is none of the known ones."""
    crontabs.start_new(environment, ACTOR)
    return get_crontabs(environment)


@router.post("/crontabs/{crontab}/continue", response_model=models.Crontabs)
def continue_as(environment: Asked, crontab: CrontabId) -> Shape:
    """Answer UNKNOWN_CRONTAB: this crontab is that one, under another name."""
    crontabs.continue_as(environment, ACTOR, crontab)
    return get_crontabs(environment)
