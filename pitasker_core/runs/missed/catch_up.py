"""Runs that were missed while the machine was off or asleep, and can catch up now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, literal_column, or_, select, true
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs.missed.detection import REACH, WAS, sentence
from pitasker_core.runs.model import RunState
from pitasker_core.sync import store


@dataclass(frozen=True)
class Missed:
    """A task that missed runs while the machine was off or asleep, and has not run since."""

    task: int
    name: str
    times: int


@dataclass(frozen=True)
class Offer:
    """Missed runs that a person may want to catch up now."""

    message: str
    """A sentence: when the machine was off, and what it missed."""
    missed: list[Missed]


def offers(environment: Environment) -> Offer | None:
    """The tasks that missed runs when the machine was last off, and have not run since.

    None if there are none, or if it was more than a week ago.
    """
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        query = select(RunRow.note, RunRow.started_at).where(
            RunRow.crontab_row == crontab_row,
            RunRow.state == literal_column(f"'{RunState.MISSED}'"),
            RunRow.started_at > clock.now() - REACH,
            RunRow.note.startswith(WAS),
        )
        last = session.execute(query.order_by(RunRow.started_at.desc()).limit(1)).first()
        missed = _not_started(session, crontab_row, last.note, true()) if last else []
    if not last or not missed:
        return None
    note = _with_weekday(last.note, last.started_at)
    return Offer(sentence(note, [task.name for task in missed]), missed)


def _with_weekday(note: str, missed_at: datetime) -> str:
    """Add the weekday if it is not today: the note names only hours."""
    zone = clock.system_zone()
    day = missed_at.astimezone(zone)
    is_today = day.date() == clock.now().astimezone(zone).date()
    return note if is_today else f"on {day:%A}, {note}"


def due_to_catch_up(environment: Environment, note: str) -> list[Missed]:
    """The tasks with automatic catch-up that missed runs for this reason and have not run since."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        return _not_started(session, crontab_row, note, TaskRow.catch_up)


def _not_started(
    session: Session, crontab_row: int, note: str, which: ColumnElement[bool] | Any
) -> list[Missed]:
    """The tasks with this note that have not started since, sorted by name."""
    query = (
        select(RunRow.task, TaskRow.name, RunRow.missed)
        .join(TaskRow, TaskRow.id == RunRow.task)
        .where(
            RunRow.crontab_row == crontab_row,
            RunRow.state == literal_column(f"'{RunState.MISSED}'"),
            RunRow.started_at > clock.now() - 2 * REACH,
            RunRow.note == note,
            TaskRow.deleted_at.is_(None),
            TaskRow.paused.is_(False),
            or_(TaskRow.last_run.is_(None), TaskRow.last_run < RunRow.ended_at),
            which,
        )
        .order_by(TaskRow.name, TaskRow.id)
    )
    return [Missed(task or 0, name, times) for task, name, times in session.execute(query)]
