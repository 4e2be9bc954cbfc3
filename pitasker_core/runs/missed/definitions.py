"""What the crontab said of each task, and when: the schedule by which cron went at a time. Pure.

A task's row says what is wanted now. Cron goes by the crontab, which may have said something else
while PiTasker was off, or for as long as a conflict waits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from pitasker_core.crontab.schedule import Schedule

TAKES_UP = timedelta(minutes=1)
"""cron reads a crontab that was changed at the next minute."""


@dataclass(frozen=True, slots=True)
class Definition:
    """How cron runs a task: its schedule, and whether a recorder tells of its runs."""

    schedule: Schedule
    recorded: bool


@dataclass(frozen=True)
class Observation:
    """What the crontab said at a time: the entries that were active, by tag.

    `is_written`: PiTasker wrote it then. Otherwise somebody else changed it at some time since the
    observation before.
    """

    at: datetime
    is_written: bool
    entries: Mapping[UUID, Definition]


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which cron went by one definition; `end` is None while it still does."""

    definition: Definition
    start: datetime
    end: datetime | None


def spans(
    observations: Sequence[Observation], edits: Sequence[datetime] | None, tag: UUID
) -> list[Span]:
    """When cron went by which definition of a task, oldest first.

    `edits` are the times at which others changed the crontab, by cron's log; None where the log
    does not show all of them. Then nothing is known of the time between two observations that
    differ, and no span covers it.
    """
    result: list[Span] = []
    if not observations:
        return result
    start = observations[0].at
    for before, after in pairwise(observations):
        definition = before.entries.get(tag)
        if definition == after.entries.get(tag):
            continue
        end, next_start = _change(before, after, edits)
        if definition and start < end:
            result.append(Span(definition, start, end))
        start = next_start + TAKES_UP
    last = observations[-1].entries.get(tag)
    return [*result, Span(last, start, None)] if last else result


def _change(
    before: Observation, after: Observation, edits: Sequence[datetime] | None
) -> tuple[datetime, datetime]:
    """Until when the observation before held, and from when on the one after did."""
    if after.is_written:
        return after.at, after.at
    between = [at for at in edits or () if before.at < at <= after.at]
    return (between[0], between[-1]) if between else (before.at, after.at)
