"""The calendar of a schedule: its next runs, its days, and changes of the clock. Pure."""

import calendar
from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pitasker_core.crontab.doctor.facts import ClockChange
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES
from pitasker_core.crontab.schedule import Schedule, meaning

if TYPE_CHECKING:
    from croniter import croniter


@dataclass(frozen=True, slots=True)
class EntryClock:
    """The clock of an entry to which cronie's CRON_TZ gives a zone of its own."""

    zone: ZoneInfo
    machine: ZoneInfo
    """The system's zone."""


Clock = ZoneInfo | EntryClock
"""The clock by which cron reads a schedule: the system's zone, or that of an entry."""


def next_runs(
    schedule: Schedule, after: datetime, clock: Clock, count: int, until: datetime | None = None
) -> list[datetime]:
    """The first `count` instants after `after` at which cron starts the job, aware, in its zone.

    With `until`, only those up to then: most schedules have few runs in a day, and each one costs
    a tenth of a millisecond.

    An instant is named once, also when cron starts a job in it several times to catch up. Empty for
    `@reboot`, for what never runs, and for cronie's random values, which nobody can know.
    """
    zone = zone_of(clock)
    if schedule.reboot or schedule.random or schedule.never_runs:
        return []
    since = after.astimezone(UTC)
    runs: dict[datetime, None] = {}
    for instant in _instants(schedule, after.astimezone(zone), clock):
        if len(runs) >= count or (until and instant > until):
            break
        if instant > since:
            runs[instant] = None
    return [instant.astimezone(zone) for instant in runs]


def zone_of(clock: Clock) -> ZoneInfo:
    """The zone of a clock."""
    return clock.zone if isinstance(clock, EntryClock) else clock


def last_run(schedule: Schedule, before: datetime, clock: Clock) -> datetime | None:
    """The last instant up to `before` at which cron started the job, aware, in its zone.

    None for what `next_runs` knows no times of, and for what did not run in the last eight years,
    in which even a 29 February comes.
    """
    if schedule.reboot or schedule.random or schedule.never_runs:
        return None
    zone = zone_of(clock)
    for days in (1 / 24, 1, 8, 32, 366, 8 * 366):
        start = before - timedelta(days=days)
        run = None
        for instant in _instants(schedule, start.astimezone(zone), clock):
            if instant > before:
                break
            run = instant if instant > start else run
        if run:
            return run.astimezone(zone)
    return None


def _instants(schedule: Schedule, start: datetime, clock: Clock) -> Iterator[datetime]:
    """Ascending UTC instants from about `start`, by cron's rules for a clock that jumps."""
    if isinstance(clock, EntryClock):
        return _instants_by_entry(schedule, start, clock)
    return _instants_by_clock(schedule, start, clock, is_wildcard=schedule.is_wildcard)


def _instants_by_entry(
    schedule: Schedule, start: datetime, clock: EntryClock
) -> Iterator[datetime]:
    """The instants of a job with a zone of its own (find_jobs in cronie's cron.c).

    Jumps of that zone count for nothing: a skipped time never comes, and a repeated one comes
    twice. In the hour that the system's clock repeats, cronie starts no fixed jobs.
    """
    for instant in _instants_by_clock(schedule, start, clock.zone, is_wildcard=True):
        local = instant.astimezone(clock.machine)
        if schedule.is_wildcard or not local.fold or _is_large(local, clock.machine):
            yield instant


def _is_large(local: datetime, machine: tzinfo) -> bool:
    """Whether the system's clock went back so far that cron takes the new time as it is."""
    wall = local.replace(tzinfo=None)
    return _offset(wall, machine, 0) - _offset(wall, machine, 1) > _LIMIT


_LIMIT = timedelta(minutes=180)
"""Cron catches up, or waits, for jumps of its clock up to this."""


def _instants_by_clock(
    schedule: Schedule, start: datetime, zone: tzinfo, *, is_wildcard: bool
) -> Iterator[datetime]:
    """The instants of a job by one clock, which may jump.

    Forward by less than three hours: a fixed job of the skipped time starts right after the jump,
    a wildcard job of it is lost. Backward by up to three hours: a fixed job starts the first time
    only, a wildcard job both times. Beyond that cron takes the new time as it is.
    """
    local = start.replace(tzinfo=None, second=0, microsecond=0)
    # The second pass through a repeated hour also has what lies before `start` on the clock.
    local -= max(_offset(local, zone, 0) - _offset(local, zone, 1), timedelta(0))
    second_pass: deque[datetime] = deque()
    for wall in _wall_times(schedule, local):
        early, late = _offset(wall, zone, 0), _offset(wall, zone, 1)
        instant = wall.replace(tzinfo=UTC) - early
        if early < late:  # skipped: the clock jumps over it
            if is_wildcard or late - early >= _LIMIT:
                continue
            instant = _jump(wall, zone)
        while second_pass and second_pass[0] < instant:
            yield second_pass.popleft()
        yield instant
        if early > late and (is_wildcard or early - late > _LIMIT):
            second_pass.append(wall.replace(tzinfo=UTC) - late)
    yield from second_pass


def _offset(wall: datetime, zone: tzinfo, fold: int) -> timedelta:
    return wall.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0)


def _jump(wall: datetime, zone: tzinfo) -> datetime:
    """The instant at which the clock jumps over `wall`."""
    late = _offset(wall, zone, 1)
    instant = wall.replace(tzinfo=UTC) - late
    while instant.astimezone(zone).utcoffset() != late:
        instant += timedelta(minutes=1)
    return instant


def _wall_times(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Naive local times after `after` that match, on a clock that never jumps.

    croniter is given lists that it cannot misread, and the rule for the two kinds of days.
    """
    from croniter import CroniterBadDateError

    parts = meaning(schedule)
    fields = parts[:5]
    texts = [",".join(map(str, values)) for values in fields]
    for place, complete_count in ((0, 60), (1, 24), (3, 12)):
        if len(fields[place]) == complete_count:
            texts[place] = "*"  # croniter takes 3 ms for a list of sixty
    expression = " ".join(texts)
    # A complete list of days or weekdays restricts nothing only where both must match.
    times = copy(_parsed(expression, parts.both_must_match is False))
    times.set_current(after)
    try:
        while True:
            yield times.get_next(datetime)
    except (CroniterBadDateError, OverflowError):
        return


@lru_cache(maxsize=2048)
def _parsed(expression: str, day_or: bool) -> "croniter":
    """Parse an expression once: it takes longer than the runs of a day. Use a copy of it."""
    from croniter import croniter

    return croniter(expression, 0.0, day_or=day_or)


def _runs_on(schedule: Schedule, day: date) -> bool:
    if day.month not in schedule.months:
        return False
    by_day, by_weekday = day.day in schedule.days, day.isoweekday() % 7 in schedule.weekdays
    return by_day and by_weekday if schedule.both_must_match else by_day or by_weekday


def _first_start(schedule: Schedule, low_end: int, high_end: int) -> int | None:
    """The first start from one minute of the day up to another, which does not count."""
    for hour in schedule.hours:
        for minute in schedule.minutes:
            if low_end <= hour * 60 + minute < high_end:
                return hour * 60 + minute
    return None


def month_days(
    schedule: Schedule, year: int, month: int, changes: Iterable[ClockChange] = ()
) -> tuple[date, ...]:
    """The days of a month on which cron starts the job; `changes` are those of the clock.

    Empty for `@reboot` and for what never runs.
    """
    if schedule.reboot or schedule.never_runs:
        return ()
    lost = {change.day for change in changes if _is_lost(schedule, change)}
    count = calendar.monthrange(year, month)[1]
    days = [date(year, month, day) for day in range(1, count + 1)]
    return tuple(day for day in days if _runs_on(schedule, day) and day not in lost)


def _is_lost(schedule: Schedule, change: ClockChange) -> bool:
    """Whether all starts of a day lie in the skipped time, where a wildcard job does not run."""
    if not change.is_forward or not schedule.is_wildcard:
        return False
    others = (_first_start(schedule, 0, change.start), _first_start(schedule, change.end, 24 * 60))
    return others == (None, None)


@dataclass(frozen=True)
class ClockNote:
    """What a change of the clock does to a schedule on one day."""

    change: ClockChange
    time: str
    """The first time of day that is skipped or comes twice."""
    text: str
    """A sentence about it."""


def clock_notes(schedule: Schedule, changes: Iterable[ClockChange]) -> list[ClockNote]:
    """The days on which the schedule has times that the clock skips or repeats (cron(8)).

    A job that runs in every hour is left out: it is not bound to these times. So is a fixed job in
    a repeated hour, which runs once, as on any day.
    """
    if schedule.reboot or len(schedule.hours) == 24:
        return []
    notes = []
    for change in changes:
        start = _first_start(schedule, change.start, change.end)
        if start is None or not _runs_on(schedule, change.day):
            continue
        day = f"{change.day.day} {MONTH_NAMES[change.day.month - 1]}"
        time = _clock(start)
        if change.is_forward and schedule.is_wildcard:
            text = f"On {day} the clock skips {time}, and cron does not run it."
        elif change.is_forward:
            text = f"On {day} the clock skips {time}, and cron runs it at {_clock(change.end)}."
        elif schedule.is_wildcard:
            text = f"On {day} {time} comes twice, and cron runs it twice."
        else:
            continue
        notes.append(ClockNote(change, time, text))
    return notes


def _clock(minute_of_day: int) -> str:
    return f"{minute_of_day // 60:02}:{minute_of_day % 60:02}"
