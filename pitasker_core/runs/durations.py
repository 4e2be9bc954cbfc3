"""How long a task's runs take as a rule, and which took too long."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow

_OF = 50
"""What is usual is told by the last runs that went well, this many of them."""

_LOOKED_AT = 200
"""They are looked for among so many: a task that always fails has none, however long one looks."""

_LEAST = 5
"""With fewer runs that went well nothing can be called usual."""

_TIMES, _MORE = 3.0, 1.0
"""A run is slow when it took more than three times the median, and at least a second more: below
that it is the machine's mood."""

SLOW = (
    "A run is slow when it took more than three times as long as is usual for its task: the median "
    "of the 50 runs before it that went well. Less than a second more does not count."
)
"""What is called slow, for people."""


@dataclass(frozen=True)
class Usual:
    """How long a task's runs take: seconds, of its last runs that went well."""

    low: float
    """A tenth took less."""
    median: float
    high: float
    """A tenth took more."""

    def is_slow(self, seconds: float) -> bool:
        """Whether a run of this length is slow."""
        return seconds > max(_TIMES * self.median, self.median + _MORE)


def usual(session: Session, task: int, before: datetime) -> Usual | None:
    """What was usual for a task before a time; None when it went well too seldom to tell."""
    seconds: Any = func.extract("epoch", RunRow.ended_at - RunRow.started_at)
    last = (
        select(seconds.label("seconds"), RunRow.state)
        .where(RunRow.task == task, RunRow.started_at < before)
        .order_by(RunRow.started_at.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    well = select(last.c.seconds).where(last.c.state == "success").limit(_OF).subquery()
    shares = [func.percentile_cont(share).within_group(well.c.seconds) for share in (0.1, 0.5, 0.9)]
    count, low, median, high = session.execute(select(func.count(), *shares)).one()
    return Usual(low, median, high) if count >= _LEAST else None


def now(environment: Environment, task: int) -> Usual | None:
    """What is usual for a task now."""
    with database.session(environment) as session:
        return usual(session, task, clock.now())
