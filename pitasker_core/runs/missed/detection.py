"""Compare expected start times with actual starts, and find missed and late runs. Pure.

Expected times come from the schedule. Actual starts come from cron's log and from recorders. For
times that nobody could observe, no claim is made.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby

from pitasker_core.crontab.calendar import Clock, next_runs
from pitasker_core.crontab.schedule import Schedule

ON_TIME = timedelta(seconds=60)
"""A start later than this after its time counts as late."""

LATE = timedelta(hours=1)
"""A start later than this does not count: the run was missed."""

EARLY = timedelta(seconds=2)
"""Tolerance for time stamps that a log rounds down."""

REACH = timedelta(days=7)
"""Older times are not judged, for example after PiTasker was away for long."""

WAS = "the machine was "
"""The beginning of each note whose cause is the machine."""

_NAMED = 5
"""The number of tasks that a notice names. Further ones are counted."""


class Cause(StrEnum):
    """Why nothing started in a period."""

    OFF = "off"
    ASLEEP = "asleep"
    CRON_DOWN = "cron down"
    UNSEEN = "unseen"
    """Nothing is known: starts could not be observed, or the clock was set."""


@dataclass(frozen=True)
class Stretch:
    """A period with a cause for missed runs."""

    start: datetime
    end: datetime
    cause: Cause

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


@dataclass(frozen=True)
class Verdict:
    """The result for a list of expected start times."""

    missed: list[tuple[datetime, Stretch | None]] = field(default_factory=list)
    late: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Each expected time with its actual start."""
    waiting: list[datetime] = field(default_factory=list)
    """Expected times that cannot be judged yet."""


def expected(schedule: Schedule, after: datetime, until: datetime, clock: Clock) -> list[datetime]:
    """When cron should have started a job after one time and up to another, in UTC.

    UTC, because Python compares times of one zone by their wall clock: it would take both times of
    the hour that is repeated in autumn as equal.
    """
    runs = next_runs(schedule, after, clock, sys.maxsize, until)
    return [at.astimezone(UTC) for at in runs]


def judge(
    times: Sequence[datetime],
    starts: Sequence[datetime],
    stretches: Sequence[Stretch],
    until: datetime,
    listed_until: datetime | None = None,
) -> Verdict:
    """Match expected times with actual starts. Both are ascending.

    `listed_until` is the end of `times` if it is before `until`. A start after it may belong to a
    later time, so it is not a late start of these.
    The first stretch that contains a missed time explains it. An unexplained time waits for an
    hour, because it may still start, unless cron has started a later time.
    """
    verdict = Verdict()
    free = list(starts)
    open_times = [at for at in times if not _take(free, at - EARLY, at + ON_TIME)]
    went_on = max(set(times) - set(open_times), default=None)
    for at in open_times:
        stretch = next((stretch for stretch in stretches if at in stretch), None)
        end = max(at, stretch.end) if stretch and stretch.cause is not Cause.UNSEEN else at
        if start := _take(free, at + ON_TIME, min(end + LATE, listed_until or until)):
            verdict.late.append((at, start))
        elif stretch and stretch.cause is Cause.UNSEEN:
            continue
        elif stretch or until >= at + LATE or (went_on and at < went_on):
            verdict.missed.append((at, stretch))
        else:
            verdict.waiting.append(at)
    return verdict


def _take(free: list[datetime], low: datetime, high: datetime) -> datetime | None:
    """Remove and return the first free start in a period; None without one."""
    for place, start in enumerate(free):
        if low <= start < high:
            return free.pop(place)
        if start >= high:
            break
    return None


def in_words(stretch: Stretch | None, zone: tzinfo) -> str:
    """The cause of a missed run, for a note."""
    if stretch is None:
        return "not started by cron, for an unknown reason"
    if stretch.cause is Cause.CRON_DOWN:
        return "cron was not running"
    start, end = stretch.start.astimezone(zone), stretch.end.astimezone(zone)
    day = "" if start.date() == end.date() else "%-d %b "
    state = "off" if stretch.cause is Cause.OFF else "asleep"
    return f"{WAS}{state} from {start:{day}%H:%M} to {end:{day}%H:%M}"


_PERIOD = re.compile(
    rf"{WAS}(off|asleep) from (?:(\d+ \w{{3}}) )?(\d\d:\d\d) to (?:(\d+ \w{{3}}) )?(\d\d:\d\d)"
)


def read_period(note: str, inside: datetime, zone: tzinfo) -> Stretch | None:
    """The period in a note that `in_words` wrote, to the minute. `inside` is a time in it.

    None if the cause is another one.
    """
    match = _PERIOD.fullmatch(note)
    if match is None:
        return None
    local = inside.astimezone(zone).replace(second=0, microsecond=0)
    cause = Cause.OFF if match[1] == "off" else Cause.ASLEEP
    start, end = _nearest(match[2], match[3], local, -1), _nearest(match[4], match[5], local, 1)
    return Stretch(start.astimezone(UTC), end.astimezone(UTC), cause) if start and end else None


def _nearest(day: str | None, minute: str, local: datetime, step: int) -> datetime | None:
    """Return the nearest time on a day, before (step -1) or after (1) another: a note has no year.

    A leap day may be eight years away.
    """
    for year in range(local.year, local.year + 9 * step, step):
        text = f"{day or f'{local.day} {local:%b}'} {year} {minute}"
        try:
            read = datetime.strptime(text, "%d %b %Y %H:%M")  # noqa: DTZ007
        except ValueError:  # a day that the year does not have
            continue
        at = read.replace(tzinfo=local.tzinfo)
        if step * (at - local) >= timedelta(0):
            return at
    return None


def sentence(note: str, names: Sequence[str]) -> str:
    """A sentence with a cause and the tasks that missed runs because of it."""
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    was = "was" if len(names) == 1 else "were"
    return f"{note[:1].upper()}{note[1:]}: {listed} {was} missed."


@dataclass(frozen=True)
class Gap:
    """Consecutive times that a task missed for one reason."""

    times: tuple[datetime, ...]
    note: str


def gaps(
    missed: Sequence[tuple[datetime, Stretch | None]], starts: Sequence[datetime], zone: tzinfo
) -> list[Gap]:
    """Group missed times. A start in between, or another reason, begins a new gap."""

    def row(miss: tuple[datetime, Stretch | None]) -> tuple[int, str]:
        return sum(1 for start in starts if start < miss[0]), in_words(miss[1], zone)

    grouped = groupby(missed, key=row)
    return [Gap(tuple(at for at, _ in group), note) for (_, note), group in grouped]
