"""The doctor over HTTP, and what cron would run for an entry."""

from typing import Annotated

from fastapi import APIRouter, Query

from pitasker_core.base.errors import InvalidSyntax, ReadOnly
from pitasker_core.crontab.doctor.catalogue import RULES
from pitasker_core.reports import doctor, explanation
from pitasker_core.server import json_doctor
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.answers.wire import Shape
from pitasker_core.server.api import models_doctor as models
from pitasker_core.server.api.context import ACTOR, Asked, Exact
from pitasker_core.server.api.requests import LARGEST_ID

router = APIRouter()

_Task = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
_Line = Annotated[int | None, Query(ge=1, le=1_000_000)]


@router.get("/doctor", response_model=models.Examination)
def examine(environment: Asked) -> Exact:
    """What will not work in the installed crontab."""
    return Exact(json_doctor.examined(doctor.examine(environment)))


@router.post("/doctor", response_model=models.Examination)
def examine_text(environment: Asked, crontab: models.CrontabText) -> Exact:
    """What will not work in any crontab; nothing is installed."""
    if environment.read_only and not crontab.text_only:
        raise ReadOnly  # it would tell which files there are
    examined = doctor.examine_text(crontab.content, text_only=crontab.text_only)
    return Exact(json_doctor.examined(examined))


@router.get("/doctor/rules")
def rules() -> list[models.Rule]:
    """All rules with their documentation."""
    return [
        models.Rule(
            code=rule.code,
            title=rule.title,
            explanation=rule.explanation,
            example=rule.example,
            better=rule.better,
        )
        for rule in RULES.values()
    ]


@router.post("/doctor/silence", response_model=models.Silence)
def silence(environment: Asked, chosen: models.RulePlace) -> Shape:
    """Report a rule no longer for a task, or for a line that no task manages."""
    place = doctor.locate(environment, task=chosen.task, line=chosen.line)
    doctor.silence(environment, ACTOR, chosen.rule, place)
    return {"rule": chosen.rule, "task": place.task, "line": place.line, "silenced": True}


@router.post("/doctor/unsilence", response_model=models.Silence)
def unsilence(environment: Asked, chosen: models.RulePlace) -> Shape:
    """Report a rule again."""
    place = doctor.locate(environment, task=chosen.task, line=chosen.line)
    doctor.unsilence(environment, ACTOR, chosen.rule, place)
    return {"rule": chosen.rule, "task": place.task, "line": place.line, "silenced": False}


@router.post("/doctor/fix", response_model=models.Fixed, response_model_exclude_unset=True)
def fix(environment: Asked, chosen: models.FixRequest) -> Shape:
    """Apply the fix of a finding: as an edit of the task, or of the line."""
    done = doctor.apply_fix(environment, ACTOR, chosen.rule, chosen.line, chosen.sha256)
    problem = error_shape(done.problem)
    return {"rule": chosen.rule, "line": chosen.line, **problem}


@router.get("/explain", response_model=models.Execution)
def explain(environment: Asked, task: _Task = None, line: _Line = None) -> Exact:
    """What cron would run for a task, or for the entry in a line; runs nothing."""
    if (task is None) == (line is None):
        raise InvalidSyntax("Name a task or a line, and not both.")
    if task is not None:
        execution = explanation.explain_task(environment, task)
    else:
        execution = explanation.explain_line(environment, line or 0)
    return Exact(json_doctor.execution(execution, None))
