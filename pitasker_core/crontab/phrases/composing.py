"""The answer to a draft: its times and dates as schedules."""

from pitasker_core.crontab.phrases.calendar_days import Dates, dates_of
from pitasker_core.crontab.phrases.draft import Draft
from pitasker_core.crontab.phrases.fields import schedule_of
from pitasker_core.crontab.phrases.hours import Group, Times, times_of
from pitasker_core.crontab.phrases.reading import Kind, Offer, Reading
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES

_NICKNAMES = {"day": "@daily", "week": "@weekly", "month": "@monthly", "year": "@yearly"}
_MIDNIGHT = Times((Group((0,), (0,)),))
_SEVERAL = "One schedule has the same minutes in each of its hours, so this takes several entries."


def compose(draft: Draft) -> Reading:
    """The schedules of one meaning of a phrase. Raises Refused."""
    if draft.once:
        return _once(draft)
    if draft.boot and not (draft.times or draft.periods or draft.minute_step or draft.hour_step):
        return Reading(Kind.EXACT, (Offer("@reboot"),), notes=tuple(draft.notes))
    nickname = _nickname(draft)
    if nickname:
        return Reading(Kind.EXACT, (Offer(nickname),), place=draft.place)
    times = times_of(draft)
    dates = dates_of(draft)
    if times is None:
        if not (dates.days or dates.weekdays or dates.months or draft.periods):
            return Reading(Kind.UNKNOWN, reason="The text names no time and no day.")
        draft.note("The time was not said: midnight.")
        times = _MIDNIGHT
    return _answer(draft, times, dates)


def _nickname(draft: Draft) -> str | None:
    plain = Draft(periods=draft.periods, hour_step=draft.hour_step)
    plain.decisions, plain.questions, plain.notes = draft.decisions, draft.questions, draft.notes
    plain.place = draft.place
    if draft != plain:
        return None
    if draft.hour_step == 1 and not draft.periods:
        return "@hourly"
    if draft.hour_step is None and len(draft.periods) == 1:
        return _NICKNAMES.get(next(iter(draft.periods)))
    return None


def _answer(draft: Draft, times: Times, dates: Dates) -> Reading:
    schedules = [_schedule(group, dates) for group in times.groups]
    reason = " ".join(filter(None, (times.reason, dates.reason)))
    notes = tuple(draft.notes)
    if not reason and len(schedules) == 1:
        offers = (Offer(schedules[0]),)
        return _with_boot(draft, Reading(Kind.EXACT, offers, notes=notes, place=draft.place))
    if not reason:
        return several(tuple(schedules), _SEVERAL, notes, draft.place)
    nearest = _schedule(times.nearest or times.groups[0], dates)
    test = dates.test or times.test
    way = f"Begin the command with a test: {test}command"
    if times.reason:
        run = "* * * * *" if "/ 60" in test else f"{nearest.split()[0]} * * * *"
        way = f"Run it by {run} and begin the command with a test: {test}command"
    together = tuple(schedules) if len(schedules) > 1 else ()
    if together:
        way = "Write an entry for each: " + " and ".join(together) + f". Or: {way}"
    return Reading(
        Kind.NEAREST,
        (Offer(nearest, "the nearest", "" if times.reason else test),),
        reason,
        way,
        together,
        notes,
        draft.place,
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


def _with_boot(draft: Draft, reading: Reading) -> Reading:
    if not draft.boot:
        return reading
    schedules = ("@reboot", reading.offers[0].schedule)
    reason = "A start of the machine and a time of day take two entries."
    return several(schedules, reason, reading.notes, reading.place)


def _once(draft: Draft) -> Reading:
    """What happens once is for at(1); a date can at least come every year."""
    offers: tuple[Offer, ...] = ()
    if draft.days and draft.months:
        dates = dates_of(draft)
        times = times_of(draft) or _MIDNIGHT
        offers = (Offer(_schedule(times.groups[0], dates), "every year"),)
    return Reading(
        Kind.ONCE,
        offers,
        "cron repeats; it has no word for a single time.",
        f"Use at(1): echo 'command' | at {_time_for_at(draft)}",
        notes=tuple(draft.notes),
    )


def _time_for_at(draft: Draft) -> str:
    """The time as at(1) takes it."""
    if draft.once.startswith("now"):
        return draft.once
    times = times_of(draft)
    group = times.groups[0] if times and times.groups else _MIDNIGHT.groups[0]
    words = [f"{group.hours[0]:02}:{group.minutes[0]:02}"]
    if draft.days and draft.months:
        words.append(f"{MONTH_NAMES[min(draft.months) - 1]} {min(draft.days)}")
    if draft.once not in ("once", "now"):
        words.append(draft.once.removeprefix("next ").removeprefix("the year "))
    return " ".join(words)
