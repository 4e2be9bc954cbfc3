"""What was missed while the machine was off or asleep, and can be made up now."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal_column, or_, select, true
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs.missed.detection import REACH, WAS, sentence
from pitasker_core.sync import store


@dataclass(frozen=True)
class Missed:
    """A task that was missed while the machine was off or asleep, and has not run since."""

    task: int
    name: str
    times: int


@dataclass(frozen=True)
class Offer:
    """What a person may want to run now."""

    message: str
    """In a sentence: when the machine was off, and what was missed."""
    missed: list[Missed]


def offers(environment: Environment) -> Offer | None:
    """The tasks that were missed when the machine was last off, and have not run since.

    None when there are none, or when it was longer ago than a week.
    """
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        query = select(RunRow.note).where(
            RunRow.crontab_row == crontab_row,
            RunRow.state == literal_column("'missed'"),
            RunRow.started_at > clock.now() - REACH,
            RunRow.note.startswith(WAS),
        )
        note = session.scalar(query.order_by(RunRow.started_at.desc()).limit(1))
        missed = _not_started(session, crontab_row, note, true()) if note else []
    return Offer(sentence(note, [one.name for one in missed]), missed) if note and missed else None


def to_make_up(environment: Environment, note: str) -> list[Missed]:
    """The tasks that were missed for a reason, have not run since, and are wanted to catch up."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        return _not_started(session, crontab_row, note, TaskRow.catch_up)


def _not_started(
    session: Session, crontab_row: int, note: str, which: ColumnElement[bool] | Any
) -> list[Missed]:
    """Those tasks of a stretch that have not started since, in the order of their names."""
    query = (
        select(RunRow.task, TaskRow.name, RunRow.missed)
        .join(TaskRow, TaskRow.id == RunRow.task)
        .where(
            RunRow.crontab_row == crontab_row,
            RunRow.state == literal_column("'missed'"),
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
