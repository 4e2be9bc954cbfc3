"""The schedule in the crontab for each task over time. Pure.

A task's row holds its current schedule. Cron follows the crontab, which may have been different
while PiTasker was off, or while a conflict is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from pitasker_core.crontab.calendar import Clock, EntryClock
from pitasker_core.crontab.schedule import Schedule

TAKES_UP = timedelta(minutes=1)
"""Cron reads a changed crontab at the next minute."""


@dataclass(frozen=True, slots=True)
class Definition:
    """How cron runs a task: its schedule, and whether the recorder runs it."""

    schedule: Schedule
    recorded: bool
    zone: ZoneInfo | None = None
    """The entry's own zone, by cronie's CRON_TZ. None for the system's zone."""

    def clock(self, machine: ZoneInfo) -> Clock:
        """The clock by which cron reads the schedule."""
        return EntryClock(self.zone, machine) if self.zone else machine


@dataclass(frozen=True)
class Observation:
    """The active entries of the crontab at a time, by tag.

    `is_written`: PiTasker wrote the crontab then. Otherwise somebody else changed it at some time
    since the previous observation.
    """

    at: datetime
    is_written: bool
    entries: Mapping[UUID, Definition]


@dataclass(frozen=True, slots=True)
class Span:
    """A period in which cron followed one definition. `end` is None if it still does."""

    definition: Definition
    start: datetime
    end: datetime | None


def spans(
    observations: Sequence[Observation], edits: Sequence[datetime] | None, tag: UUID
) -> list[Span]:
    """The definitions of a task that cron followed, oldest first.

    `edits` are the times in cron's log at which others changed the crontab. None if the log does
    not show all of them: then no span covers the time between two different observations.
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
    """When the earlier observation stopped to hold, and when the later one began to."""
    if after.is_written:
        return after.at, after.at
    between = [at for at in edits or () if before.at < at <= after.at]
    return (between[0], between[-1]) if between else (before.at, after.at)
