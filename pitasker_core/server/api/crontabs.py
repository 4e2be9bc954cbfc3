"""The crontabs of the database over HTTP, and the answer to which of them is this one."""

from typing import Annotated

from fastapi import APIRouter, Path

from pitasker_core.server import crontabs
from pitasker_core.server.answers.access import Crontabs
from pitasker_core.server.api.context import ACTOR, Asked, Exact, respond
from pitasker_core.server.api.requests import LARGEST_ID

router = APIRouter()

CrontabId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("/crontabs", response_model=Crontabs)
def get_crontabs(environment: Asked) -> Exact:
    """All crontabs of the database; first this one, or those that may be this one."""
    return respond(Crontabs.of(environment.identity, crontabs.listing(environment)))


@router.post("/crontabs", status_code=201, response_model=Crontabs)
def start_new(environment: Asked) -> Exact:
    """Answer UNKNOWN_CRONTAB: this crontab is new."""
    crontabs.start_new(environment, ACTOR)
    return respond(Crontabs.of(environment.identity, crontabs.listing(environment)), 201)


@router.post("/crontabs/{crontab}/continue", response_model=Crontabs)
def continue_as(environment: Asked, crontab: CrontabId) -> Exact:
    """Answer UNKNOWN_CRONTAB: this crontab is one of the database, under another name."""
    crontabs.continue_as(environment, ACTOR, crontab)
    return get_crontabs(environment)
