"""The runs of the next weeks as a calendar (RFC 5545). Pure.

Each run is an event of its own: a recurrence rule of a calendar cannot say what cron does at a
change of the clock. Commands are left out, because calendars are shared.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import Clock, next_runs
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule, Schedule
from pitasker_core.formats.record import Remark, TaskRecord

if TYPE_CHECKING:
    from icalendar import Event

WEEKS, MOST_WEEKS = 4, 26
MOST_A_DAY = 12
"""A task that runs more often on a day gets one event for the whole day."""
MOST_EVENTS = 2_000


def write_calendar(
    records: Sequence[TaskRecord],
    now: datetime,
    zone: ZoneInfo,
    weeks: int = WEEKS,
    dialect: Dialect = Dialect.DEBIAN,
    clocks: Sequence[Clock] | None = None,
) -> tuple[bytes, tuple[Remark, ...]]:
    """The calendar from `now` on, and what it leaves out. `zone` is the machine's.

    `clocks` are those by which cron reads each record; without them, cron goes by the machine's.
    """
    from icalendar import Calendar  # late: it takes 200 ms, and only this needs it

    calendar = Calendar()
    calendar.add("prodid", "-//PiTasker//Runs//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "PiTasker")
    notes: list[Remark] = []
    uids: set[str] = set()
    for record, read_by in zip(records, clocks or [zone] * len(records), strict=True):
        try:
            schedule = _schedule(record, dialect)
        except InvalidSchedule as problem:
            notes.append(Remark(f"It is left out: {problem.message}.", name=record.name))
            continue
        room = MOST_EVENTS - len(uids)
        end = now + timedelta(weeks=weeks)
        starts = _starts(schedule, now, end, read_by, zone, room + 1)
        if len(starts) > room:
            message = f"It is left out: a calendar has at most {MOST_EVENTS:,} events."
            notes.append(Remark(message, name=record.name))
            continue
        if _is_frequent(schedule):
            message = f"It runs more than {MOST_A_DAY} times a day: each such day is one event."
            notes.append(Remark(message, name=record.name))
        words = schedules.describe(schedule)
        for start in starts:
            event = _event(record.name, words, now, start)
            event.add("uid", _uid(record, start, uids))
            calendar.add_component(event)
    return calendar.to_ical(), tuple(notes)


def _schedule(record: TaskRecord, dialect: Dialect) -> Schedule:
    """The schedule by which cron runs a task at known times. Raises InvalidSchedule."""
    if record.paused or not record.system_managed:
        raise InvalidSchedule("cron does not run it now")
    schedule = schedules.parse(record.schedule, dialect)
    if schedule.reboot:
        raise InvalidSchedule("it runs at system start")
    if schedule.random:
        raise InvalidSchedule("it runs at random times")
    return schedule


def _is_frequent(schedule: Schedule) -> bool:
    return len(schedule.minutes) * len(schedule.hours) > MOST_A_DAY


def _starts(
    schedule: Schedule, now: datetime, end: datetime, read_by: Clock, zone: ZoneInfo, count: int
) -> Sequence[date]:
    """The times of the first `count` runs, or the days of a task that runs often."""
    is_frequent = _is_frequent(schedule)
    if is_frequent:
        # Compare by its last time of day, so that today counts while a run is still due.
        minutes, hours = schedule.minutes[-1:], schedule.hours[-1:]
        schedule = replace(
            schedule, minutes=minutes, hours=hours, star_minute=False, star_hour=False
        )
    runs = [run for run in next_runs(schedule, now, read_by, count, end) if run < end]
    return [run.astimezone(zone).date() for run in runs] if is_frequent else runs


def _event(name: str, words: str, now: datetime, start: date) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("summary", name)
    event.add("description", words)
    event.add("dtstamp", now.astimezone(UTC))
    if isinstance(start, datetime):
        event.add("dtstart", start.astimezone(UTC))
    else:
        event.add("dtstart", start)
        event.add("dtend", start + timedelta(days=1))
    # It takes nobody's time.
    event.add("transp", "TRANSPARENT")
    return event


def _uid(record: TaskRecord, start: date, taken: set[str]) -> str:
    """An id that is the same in each export, so that a calendar replaces what it has."""
    text = "\0".join((record.name, record.schedule, record.command, start.isoformat()))
    number = 0
    while True:
        digest = sha256(f"{text}\0{number}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
        uid = f"{digest}@pitasker"
        if uid not in taken:
            taken.add(uid)
            return uid
        number += 1
