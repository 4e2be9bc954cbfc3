"""Everything a person should see of a text typed where a schedule goes: `understand` answers it."""

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pitasker_core.base.text import Code, Text
from pitasker_core.crontab import phrases
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.builder import explain_days
from pitasker_core.crontab.calendar import Clock, clock_notes, next_runs, zone_of
from pitasker_core.crontab.doctor.clock_changes import find_clock_changes
from pitasker_core.crontab.phrases import Kind
from pitasker_core.crontab.phrases.composing import several
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule, Schedule
from pitasker_core.crontab.zones import find_zone, translate

SHOWN_RUNS = 5

_WORDS = re.compile(r"[^\W\d_]|\d+(?:st|nd|rd|th)\b", re.IGNORECASE)
"""How words begin, such as "31st of March"; fields begin otherwise."""


@dataclass(frozen=True)
class Suggestion:
    """A schedule that a text may mean."""

    schedule: str
    description: str
    meaning: str = ""
    """Which of several meanings it is."""
    command_test: str = ""
    """Put before the command, this makes a nearest schedule exact. Its `%` are escaped."""


@dataclass(frozen=True)
class Understanding:
    """What a text means to cron, and what a person should know about it."""

    text: str
    schedule: str | None = None
    """What to save: the text itself if cron accepts it, else what it was understood as; None if
    cron cannot say it, or nothing was understood."""
    is_schedule: bool = False
    """Whether the text itself is a schedule."""
    description: str = ""
    runs: tuple[datetime, ...] = ()
    """The next runs of `schedule` in the zone of its clock, aware."""
    warnings: tuple[str, ...] = ()
    """What cron accepts but surely nobody means, changes of the clock, how days combine."""
    notes: tuple[str, ...] = ()
    """What was assumed or corrected in words."""
    reason: str = ""
    """Why there is no schedule, or what is ambiguous."""
    usual_way: str = ""
    """How people do what cron cannot say."""
    suggestions: tuple[Suggestion, ...] = ()
    together: tuple[str, ...] = ()
    """The schedules that say it only together, each in a separate entry."""
    by_test: Suggestion | None = None
    """A schedule that runs too often, which only its test in the command makes exact."""

    @property
    def is_words(self) -> bool:
        """Whether the text begins as words do, and not as fields."""
        return _WORDS.match(self.text) is not None

    @property
    def only_meaning(self) -> str | None:
        """The schedule of words that have no other meaning; None for a text that is a schedule."""
        return None if self.is_schedule or self.reason else self.schedule

    @property
    def entries(self) -> tuple[str, ...]:
        """The schedules of the new entries for the text: several if no single one says it."""
        return self.together or (self.only_meaning or self.text,)


def understand(
    text: str, clock: Clock, now: datetime, dialect: Dialect = Dialect.DEBIAN
) -> Understanding:
    """What a text means, typed where a schedule goes: five fields, a nickname or English words.

    `clock` is the one by which cron reads the entry. Never raises. Takes a few milliseconds,
    whatever the text.
    """
    text = text.strip(" \t")
    try:
        schedule = schedules.parse(text, dialect)
    except InvalidSchedule as problem:
        return _from_words(text, problem, clock, now, dialect)
    better = schedules.suggest(text) if schedule.never_runs or schedule.warnings else None
    return Understanding(
        text,
        text,
        is_schedule=True,
        description=schedules.describe(schedule),
        runs=_runs(schedule, clock, now),
        warnings=(*schedule.warnings, *_warnings(schedule, clock, now)),
        suggestions=(_suggestion(better),) if better and better != text else (),
    )


def _runs(schedule: Schedule, clock: Clock, now: datetime) -> tuple[datetime, ...]:
    return tuple(next_runs(schedule, now, clock, SHOWN_RUNS))


def _warnings(schedule: Schedule, clock: Clock, now: datetime) -> list[str]:
    zone = zone_of(clock)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    changes = find_clock_changes(zone, midnight)
    days = explain_days(schedule)
    return [*filter(None, [days]), *(note.text for note in clock_notes(schedule, changes))]


def _suggestion(schedule: str, meaning: str = "", command_test: str = "") -> Suggestion:
    description = schedules.describe(schedules.parse(schedule))
    return Suggestion(schedule, description, meaning, command_test)


def _from_words(
    text: str, problem: InvalidSchedule, clock: Clock, now: datetime, dialect: Dialect
) -> Understanding:
    reading = phrases.read(text)
    if reading.kind is Kind.UNKNOWN:
        # Not words, or none that are understood: perhaps a slip in the five fields.
        guess = schedules.suggest(text)
        is_words = _WORDS.match(text) is not None
        return Understanding(
            text,
            reason=reading.reason if is_words and not guess else problem.message,
            usual_way=reading.usual_way,
            suggestions=(_suggestion(guess),) if guess else (),
        )
    caveats: tuple[str, ...] = ()
    if reading.place:
        reading, caveats = _in_zone(reading, zone_of(clock), now, dialect)
    suggestions = tuple(
        _suggestion(offer.schedule, offer.meaning, offer.command_test) for offer in reading.offers
    )
    understood = schedules.parse(reading.schedule) if reading.schedule else None
    test = reading.by_test
    return Understanding(
        text,
        reading.schedule,
        description=suggestions[0].description if understood else "",
        runs=_runs(understood, clock, now) if understood else (),
        warnings=(*caveats, *(_warnings(understood, clock, now) if understood else ())),
        notes=reading.notes,
        reason=reading.reason,
        usual_way=reading.usual_way,
        suggestions=suggestions,
        together=reading.together,
        by_test=_suggestion(test.schedule, test.meaning, test.command_test) if test else None,
    )


def _in_zone(
    reading: phrases.Reading, zone: ZoneInfo, now: datetime, dialect: Dialect
) -> tuple[phrases.Reading, tuple[str, ...]]:
    """The reading by the machine's clock, and what to know about it."""
    source = find_zone(reading.place)
    if source is None:
        return _unknown(_no_zone(reading.place)), ()
    texts = reading.together if reading.kind is Kind.SEVERAL else (reading.schedule or "",)
    if not all(texts):
        return _unknown(f"{reading.reason} The times would be those of {source.key}."), ()
    there = [schedules.parse(text) for text in texts]
    results = [translate(schedule, source, zone, now) for schedule in there]
    if not all(result.schedules for result in results):
        return _unknown(next(result.reason for result in results if result.reason)), ()
    if dialect.is_cronie:
        advice = f"Or write CRON_TZ={source.key} above the entry, with {' and '.join(texts)}."
    else:
        advice = "Debian's cron ignores CRON_TZ."
    words = " and ".join(schedules.describe(schedule) for schedule in there)
    note = f"{words} in {source.key}, by the clock of {zone.key}. {advice}"
    here = tuple(text for result in results for text in result.schedules)
    caveats = tuple(dict.fromkeys(text for result in results for text in result.caveats))
    notes = (*reading.notes, note)
    if len(here) == 1:
        offers = (phrases.Offer(here[0]),)
        return phrases.Reading(Kind.EXACT, offers, notes=notes), caveats
    reason = "By the clock of this machine this takes several schedules."
    return several(here, reason, notes), caveats


def _no_zone(place: str) -> str:
    return f"“{place}” is no time zone that is known here."


def _unknown(reason: str) -> phrases.Reading:
    return phrases.Reading(Kind.UNKNOWN, reason=reason)


def explain_refusal(text: str, problem: InvalidSchedule) -> tuple[str, str]:
    """What to say of a text that is no schedule where one must be typed: message and advice."""
    reading = phrases.read(text)
    sentence = f"{problem.message[:1].upper()}{problem.message[1:]}."
    if reading.place and find_zone(reading.place) is None:
        return _no_zone(reading.place), ""
    if reading.kind is Kind.UNKNOWN or reading.place:
        better = problem.suggestion
        if _WORDS.match(text) and not better:
            return reading.reason or sentence, ""
        return sentence, Text("Perhaps ", Code(better), " was meant.") if better else ""
    offers = [_suggestion(offer.schedule, offer.meaning) for offer in reading.offers]
    if reading.schedule:
        meanings = " or ".join(f"{offer.schedule} ({offer.description})" for offer in offers)
        return reading.reason or sentence, Text(
            f"The text means {meanings}. Type ", Code(offers[0].schedule), "."
        )
    nearest = f" The nearest is {offers[0].schedule} ({offers[0].description})." if offers else ""
    return f"{reading.reason}{nearest}", reading.usual_way
