"""One run that was seen twice: by cron's log, and by its own recorder. It exists once."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_

from pitasker_core.database.tables import RunRow

_NEAR = timedelta(seconds=10)
_SLOW_START = timedelta(minutes=10)
"""Between cron's start of the shell and the recorder's first word, on the most overloaded machine;
later the same number is another process."""


def same_start(
    source: str, task: int, at: datetime, processes: Collection[int]
) -> ColumnElement[bool]:
    """The rows of a source that are the start of this task at this time, by one of these processes.

    cron logs the shell that it starts; the recorder is that process, or its child.
    """
    mine = and_(RunRow.source == source, RunRow.task == task)
    by_process = and_(
        RunRow.pid.in_(processes), RunRow.started_at.between(at - _SLOW_START, at + _SLOW_START)
    )
    return and_(mine, or_(by_process, RunRow.started_at.between(at - _NEAR, at + _NEAR)))
