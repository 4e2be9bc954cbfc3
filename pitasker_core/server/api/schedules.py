"""Schedules over HTTP: what words, or five fields, mean to cron."""

from typing import Annotated

from fastapi import APIRouter, Query

from pitasker_core.crontab.phrases import LONGEST
from pitasker_core.reports.schedules import understand_here
from pitasker_core.server.answers.schedules import ScheduleText
from pitasker_core.server.api.context import Asked, Exact, respond

router = APIRouter()

_Text = Annotated[str, Query(max_length=LONGEST, examples=["every weekday at 7:30"])]


@router.get("/schedule", response_model=ScheduleText)
def understand(environment: Asked, text: _Text) -> Exact:
    """What a text means as a schedule, with its next five runs; changes nothing."""
    return respond(ScheduleText.of(understand_here(environment, text)))
