"""The answer to an outline: its times and dates as schedules."""

from dataclasses import replace
from typing import Any

from pitasker_core.crontab.phrases.calendar_days import Dates, dates_of
from pitasker_core.crontab.phrases.fields import schedule_of
from pitasker_core.crontab.phrases.hours import Group, Times, times_of
from pitasker_core.crontab.phrases.outline import Outline, Refused
from pitasker_core.crontab.phrases.reading import Kind, Offer, Reading
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES

_NICKNAMES = {"day": "@daily", "week": "@weekly", "month": "@monthly", "year": "@yearly"}
_MIDNIGHT = Times((Group((0,), (0,)),))
_SEVERAL = "One schedule has the same minutes in each of its hours, so this takes several entries."


def compose(outline: Outline) -> Reading:
    """The schedules of one meaning of a phrase. Raises Refused."""
    if outline.once:
        return _once(outline)
    if len(outline.dates) > 1 and not _is_one_product(outline.dates):
        return _each_date(outline)
    if outline.boot and not outline.has_times():
        if outline.dates or outline.stride:
            raise Refused("@reboot runs at each start, on any day.")
        return Reading(Kind.EXACT, (Offer("@reboot"),), notes=tuple(outline.notes))
    nickname = _nickname(outline)
    if nickname:
        return Reading(Kind.EXACT, (Offer(nickname),), place=outline.place)
    times = times_of(outline)
    dates = dates_of(outline)
    if times is None:
        if not (dates.days or dates.weekdays or dates.months or outline.periods):
            return Reading(Kind.UNKNOWN, reason="The text names no time and no day.")
        outline.note("The time was not said: midnight.")
        times = _MIDNIGHT
    return _answer(outline, times, dates)


def _is_one_product(dates: list[dict[str, set[Any]]]) -> bool:
    """Whether one schedule can have all the dates: they differ in one respect at most."""
    if any(date.keys() != dates[0].keys() for date in dates):
        return False
    return sum(any(date[name] != dates[0][name] for date in dates) for name in dates[0]) <= 1


def _each_date(outline: Outline) -> Reading:
    """The answer to several dates, such as "25 December and 1 January"."""
    if outline.has_exception or any(
        date.keys() != outline.dates[0].keys() for date in outline.dates
    ):
        raise Refused("The text names several dates; split it.")
    readings = []
    for date in outline.dates:
        part = replace(outline, dates=[])
        for name, values in date.items():
            setattr(part, name, set(values))
        readings.append(compose(part))
    if any(reading.kind is not Kind.EXACT for reading in readings):
        raise Refused("The text names several dates; split it.")
    schedules = tuple(reading.offers[0].schedule for reading in readings)
    reason = "One schedule has the same days in each of its months."
    return several(schedules, reason, readings[0].notes, outline.place)


def _nickname(outline: Outline) -> str | None:
    plain = Outline(periods=outline.periods, hour_step=outline.hour_step)
    for name in ("decisions", "questions", "notes", "place"):
        setattr(plain, name, getattr(outline, name))
    if outline != plain:
        return None
    if outline.hour_step == 1 and not outline.periods:
        return "@hourly"
    if outline.hour_step is None and len(outline.periods) == 1:
        return _NICKNAMES.get(next(iter(outline.periods)))
    return None


def _answer(outline: Outline, times: Times, dates: Dates) -> Reading:
    schedules = [_schedule(group, dates) for group in times.groups]
    reason = " ".join(filter(None, (times.reason, dates.reason)))
    notes = tuple(outline.notes)
    if not reason and len(schedules) == 1:
        offers = (Offer(schedules[0]),)
        return _with_boot(outline, Reading(Kind.EXACT, offers, notes=notes, place=outline.place))
    if not reason:
        return several(tuple(schedules), _SEVERAL, notes, outline.place)
    nearest = _schedule(times.nearest or times.groups[0], dates)
    test = dates.test or times.test
    way = f"Begin the command with a test: {test}command"
    by_test = None
    if times.way:
        way = times.way
    elif times.reason:
        run = "* * * * *" if "/ 60" in test else f"{nearest.split()[0]} * * * *"
        way = f"Run it by {run} and begin the command with a test: {test}command"
        by_test = Offer(run, "exactly", test)
    together = tuple(schedules) if len(schedules) > 1 else ()
    if together:
        way = f"Write an entry for each: {' and '.join(together)}. Or: {way[0].lower()}{way[1:]}"
    return Reading(
        Kind.NEAREST,
        (Offer(nearest, "the nearest", "" if times.reason else test),),
        reason,
        way,
        together,
        notes,
        outline.place,
        by_test,
    )


def _schedule(group: Group, dates: Dates) -> str:
    return schedule_of(
        group.minutes, group.hours, dates.days, dates.months, dates.weekdays, dates.both
    )


def several(
    schedules: tuple[str, ...], reason: str, notes: tuple[str, ...], place: str = ""
) -> Reading:
    """The answer of several schedules that belong together."""
    return Reading(
        Kind.SEVERAL,
        (Offer(schedules[0], "a part of it"),),
        reason,
        f"Write an entry for each: {' and '.join(schedules)}.",
        schedules,
        notes,
        place,
    )


def _with_boot(outline: Outline, reading: Reading) -> Reading:
    if not outline.boot:
        return reading
    schedules = ("@reboot", reading.offers[0].schedule)
    reason = "A start of the machine and a time of day take two entries."
    return several(schedules, reason, reading.notes, reading.place)


def _once(outline: Outline) -> Reading:
    """A single time is for at(1); a date can at least come every year."""
    offers: tuple[Offer, ...] = ()
    if outline.days and outline.months:
        dates = dates_of(outline)
        times = times_of(outline) or _MIDNIGHT
        offers = (Offer(_schedule(times.groups[0], dates), "every year"),)
    return Reading(
        Kind.ONCE,
        offers,
        "cron repeats; it has no word for a single time.",
        f"Use at(1): echo 'command' | at {_time_for_at(outline)}",
        notes=tuple(outline.notes),
    )


def _time_for_at(outline: Outline) -> str:
    """The time as at(1) takes it."""
    if outline.once.startswith("now"):
        return outline.once
    times = times_of(outline)
    group = times.groups[0] if times and times.groups else _MIDNIGHT.groups[0]
    words = [f"{group.hours[0]:02}:{group.minutes[0]:02}"]
    if outline.days and outline.months:
        words.append(f"{MONTH_NAMES[min(outline.months) - 1]} {min(outline.days)}")
    if outline.once not in ("once", "now"):
        words.append(outline.once.removeprefix("next ").removeprefix("the year "))
    return " ".join(words)
