"""Schedules over HTTP: what words, or five fields, mean to cron."""

from typing import Annotated

from fastapi import APIRouter, Query

from pitasker_core.crontab.phrases import LONGEST
from pitasker_core.reports.schedules import understand_here
from pitasker_core.server import json_schedules
from pitasker_core.server.api import models_schedules as models
from pitasker_core.server.api.context import Asked, Exact

router = APIRouter()

_Text = Annotated[str, Query(max_length=LONGEST, examples=["every weekday at 7:30"])]


@router.get("/schedule", response_model=models.ScheduleText)
def understand(environment: Asked, text: _Text) -> Exact:
    """What a text means as a schedule, with its next five runs; changes nothing."""
    return Exact(json_schedules.understanding(understand_here(environment, text)))
