"""The usual duration of a task's runs, and which runs were slow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow
from pitasker_core.runs.model import RunState

_OF = 50
"""The number of successful runs that the usual duration is computed from."""

_LOOKED_AT = 200
"""They are searched among so many runs. A task that always fails has none."""

_LEAST = 5
"""With fewer successful runs there is no usual duration."""

_TIMES, _MORE = 3.0, 1.0
"""A run is slow if it took more than three times the median and at least one second more. Smaller
differences are noise."""

SLOW = (
    "A run is slow if it took more than three times as long as usual: the median of the 50 "
    "successful runs before it. A difference of less than a second does not count."
)
"""The definition of a slow run, for people."""


@dataclass(frozen=True)
class Usual:
    """The durations of a task's last successful runs, in seconds."""

    low: float
    """The 10th percentile."""
    median: float
    high: float
    """The 90th percentile."""

    def is_slow(self, seconds: float) -> bool:
        """Whether a run of this duration is slow."""
        return seconds > max(_TIMES * self.median, self.median + _MORE)


def usual(session: Session, task: int, before: datetime) -> Usual | None:
    """The usual duration before a time; None with too few successful runs."""
    seconds: Any = func.extract("epoch", RunRow.ended_at - RunRow.started_at)
    last = (
        select(seconds.label("seconds"), RunRow.state)
        .where(RunRow.task == task, RunRow.started_at < before)
        .order_by(RunRow.started_at.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    well = select(last.c.seconds).where(last.c.state == RunState.SUCCESS).limit(_OF).subquery()
    shares = [func.percentile_cont(share).within_group(well.c.seconds) for share in (0.1, 0.5, 0.9)]
    count, low, median, high = session.execute(select(func.count(), *shares)).one()
    return Usual(low, median, high) if count >= _LEAST else None


def now(environment: Environment, task: int) -> Usual | None:
    """The usual duration of a task now."""
    with database.session(environment) as session:
        return usual(session, task, clock.now())
