"""Recognise a run that is both in cron's log and in a recorder's record, so it is stored once."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_

from pitasker_core.database.tables import RunRow

_NEAR = timedelta(seconds=10)
_SLOW_START = timedelta(minutes=10)
"""The longest time from cron's log line to the recorder's start, on an overloaded machine. After
that, the same process id belongs to another process."""


def same_start(
    source: str, task: int, at: datetime, processes: Collection[int]
) -> ColumnElement[bool]:
    """A condition for rows of a source with the same start of a task, by one of these processes.

    Cron logs the process id of the shell. The recorder is that process or its child.
    """
    mine = and_(RunRow.source == source, RunRow.task == task)
    by_process = and_(
        RunRow.pid.in_(processes), RunRow.started_at.between(at - _SLOW_START, at + _SLOW_START)
    )
    return and_(mine, or_(by_process, RunRow.started_at.between(at - _NEAR, at + _NEAR)))
