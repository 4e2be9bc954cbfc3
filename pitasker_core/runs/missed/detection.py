"""Runs that did not happen: what became of the times at which a task was to start. Pure.

What is expected comes from the schedule; what happened from cron's log and from recorders. Where
nothing could have been seen nothing is claimed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.schedule import Schedule

ON_TIME = timedelta(seconds=60)
"""After its minute began a start counts as late."""

LATE = timedelta(hours=1)
"""Later than that it is no late start but a miss."""

EARLY = timedelta(seconds=2)
"""Stamps in a log may be rounded down."""

REACH = timedelta(days=7)
"""Older times are not judged any more, after PiTasker was away for long."""

WAS = "the machine was "
"""How each cause begins that is the machine's own."""

_NAMED = 5
"""Tasks that a notice names; more are counted."""


class Cause(StrEnum):
    """Why nothing started in a stretch of time."""

    OFF = "off"
    ASLEEP = "asleep"
    CRON_DOWN = "cron down"
    UNSEEN = "unseen"
    """Nobody can know: it could not be seen, or the clock was set."""


@dataclass(frozen=True)
class Stretch:
    """A time with a cause."""

    start: datetime
    end: datetime
    cause: Cause

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


@dataclass(frozen=True)
class Verdict:
    """What became of expected starts. Those after `decided` are to be judged again."""

    missed: list[tuple[datetime, Stretch | None]] = field(default_factory=list)
    late: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Each expected time, and when it started."""
    waiting: list[datetime] = field(default_factory=list)
    """Expected times of which nothing can be said yet."""


def expected(schedule: Schedule, after: datetime, until: datetime, zone: tzinfo) -> list[datetime]:
    """The times after one and up to another at which cron should have started a job, in UTC.

    In UTC, because Python reckons with a zone's times as its clocks show them: it takes the two
    times of the hour that autumn repeats for one.
    """
    found: list[datetime] = []
    count = 1
    while True:
        more = schedules.next_runs(schedule, found[-1] if found else after, zone, count)
        found += [at.astimezone(UTC) for at in more if at <= until]
        if not more or len(more) < count or more[-1] > until:
            return found
        count = min(2 * count, 256)


def judge(
    times: Sequence[datetime],
    starts: Sequence[datetime],
    stretches: Sequence[Stretch],
    until: datetime,
    listed_until: datetime | None = None,
) -> Verdict:
    """What became of expected times, by the starts that were seen; both ascending.

    `listed_until` is how far `times` go, if not until the end: a start after it may be that of a
    later time, and is no late start of these.
    `stretches` explain what did not start, the first that fits. What nothing explains waits for
    an hour, in which it may still start, unless cron went on to a later time meanwhile.
    """
    verdict = Verdict()
    free = list(starts)
    open_times = [at for at in times if not _take(free, at - EARLY, at + ON_TIME)]
    went_on = max(set(times) - set(open_times), default=None)
    for at in open_times:
        stretch = next((one for one in stretches if at in one), None)
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
    """The first start in a time that is no other's yet; it is nobody's any more then."""
    for place, start in enumerate(free):
        if low <= start < high:
            return free.pop(place)
        if start >= high:
            break
    return None


def in_words(stretch: Stretch | None, zone: tzinfo) -> str:
    """Why something was missed."""
    if stretch is None:
        return "not started by cron, for no reason that shows"
    if stretch.cause is Cause.CRON_DOWN:
        return "cron was not running"
    start, end = stretch.start.astimezone(zone), stretch.end.astimezone(zone)
    day = "" if start.date() == end.date() else "%-d %b "
    state = "off" if stretch.cause is Cause.OFF else "asleep"
    return f"{WAS}{state} from {start:{day}%H:%M} to {end:{day}%H:%M}"


def sentence(note: str, names: Sequence[str]) -> str:
    """A cause and the tasks that were missed by it."""
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    was = "was" if len(names) == 1 else "were"
    return f"{note[:1].upper()}{note[1:]}: {listed} {was} missed."


@dataclass(frozen=True)
class Gap:
    """Times in a row that one task missed, for one reason."""

    times: tuple[datetime, ...]
    note: str


def gaps(
    missed: Sequence[tuple[datetime, Stretch | None]], starts: Sequence[datetime], zone: tzinfo
) -> list[Gap]:
    """Misses in a row: a start in between, or another reason, begins a new one."""

    def row(miss: tuple[datetime, Stretch | None]) -> tuple[int, str]:
        return sum(1 for start in starts if start < miss[0]), in_words(miss[1], zone)

    grouped = groupby(missed, key=row)
    return [Gap(tuple(at for at, _ in group), note) for (_, note), group in grouped]
