"""The days on which a schedule runs, and what happens to it when the clock changes. Pure."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pitasker_core.crontab.doctor.facts import ClockChange
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES
from pitasker_core.crontab.schedule import Schedule


def runs_on(schedule: Schedule, day: date) -> bool:
    """Whether the schedule has starts on a date."""
    if day.month not in schedule.months:
        return False
    by_day, by_weekday = day.day in schedule.days, day.isoweekday() % 7 in schedule.weekdays
    return by_day and by_weekday if schedule.both_must_match else by_day or by_weekday


def first_start(schedule: Schedule, low_end: int, high_end: int) -> int | None:
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
    return tuple(day for day in days if runs_on(schedule, day) and day not in lost)


def _is_lost(schedule: Schedule, change: ClockChange) -> bool:
    """Whether all starts of a day lie in the skipped time, where a wildcard job does not run."""
    if not change.is_forward or not schedule.is_wildcard:
        return False
    others = (first_start(schedule, 0, change.start), first_start(schedule, change.end, 24 * 60))
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
        start = first_start(schedule, change.start, change.end)
        if start is None or not runs_on(schedule, change.day):
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
