"""The doctor over HTTP, and what cron would run for an entry."""

from typing import Annotated

from fastapi import APIRouter, Query

from pitasker_core.base.errors import InvalidSyntax, ReadOnly
from pitasker_core.crontab.doctor.catalogue import RULES
from pitasker_core.reports import doctor, explanation
from pitasker_core.server.answers import doctor as answers
from pitasker_core.server.answers.problems import Problem
from pitasker_core.server.answers.wire import copy_fields
from pitasker_core.server.api.context import ACTOR, Asked, Exact, respond
from pitasker_core.server.api.requests import LARGEST_ID, CrontabText, FixRequest, RulePlace

router = APIRouter()

_Task = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
_Line = Annotated[int | None, Query(ge=1, le=1_000_000)]


@router.get("/doctor", response_model=answers.Examination)
def examine(environment: Asked) -> Exact:
    """What will not work in the installed crontab."""
    return respond(answers.Examination.of(doctor.examine(environment)))


@router.post("/doctor", response_model=answers.Examination)
def examine_text(environment: Asked, crontab: CrontabText) -> Exact:
    """What will not work in any crontab; nothing is installed."""
    if environment.read_only and not crontab.text_only:
        raise ReadOnly  # it would reveal which files exist
    examined = doctor.examine_text(crontab.content, text_only=crontab.text_only)
    return respond(answers.Examination.of(examined))


@router.get("/doctor/rules", response_model=list[answers.Rule])
def rules() -> Exact:
    """All rules with their documentation."""
    return respond([copy_fields(answers.Rule, rule) for rule in RULES.values()])


@router.post("/doctor/silence", response_model=answers.Silence)
def silence(environment: Asked, chosen: RulePlace) -> Exact:
    """Silence a rule for a task, or for a line that no task manages."""
    place = doctor.locate(environment, task=chosen.task, line=chosen.line)
    doctor.silence(environment, ACTOR, chosen.rule, place)
    return respond(answers.Silence(chosen.rule, place.task, place.line, silenced=True))


@router.post("/doctor/unsilence", response_model=answers.Silence)
def unsilence(environment: Asked, chosen: RulePlace) -> Exact:
    """Report a rule again."""
    place = doctor.locate(environment, task=chosen.task, line=chosen.line)
    doctor.unsilence(environment, ACTOR, chosen.rule, place)
    return respond(answers.Silence(chosen.rule, place.task, place.line, silenced=False))


@router.post("/doctor/fix", response_model=answers.Fixed)
def fix(environment: Asked, chosen: FixRequest) -> Exact:
    """Apply the fix of a finding: as an edit of the task, or of the line."""
    done = doctor.apply_fix(environment, ACTOR, chosen.rule, chosen.line, chosen.sha256)
    return respond(answers.Fixed(chosen.rule, chosen.line, Problem.of(done.problem)))


@router.get("/explain", response_model=answers.Execution)
def explain(environment: Asked, task: _Task = None, line: _Line = None) -> Exact:
    """What cron would run for a task, or for the entry in a line; runs nothing."""
    if (task is None) == (line is None):
        raise InvalidSyntax("Name a task or a line, and not both.")
    if task is not None:
        execution = explanation.explain_task(environment, task)
    else:
        execution = explanation.explain_line(environment, line or 0)
    return respond(answers.Execution.of(execution))
