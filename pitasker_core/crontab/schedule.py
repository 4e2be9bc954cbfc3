"""The schedules that cron accepts, and when they run. Our own parser decides both. Pure.

It follows Debian's cron 3.0pl1 on x86-64, and cronie where that differs. Neither a library nor the
exit status of `crontab` decides: libraries read many schedules differently from cron, and on ARM
Debian's `crontab` accepts schedules that it should refuse.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, NoReturn

from pitasker_core.crontab import describing, suggesting
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, NICKNAMES
from pitasker_core.crontab.schedule_fields import FieldError, read_field


class Dialect(Enum):
    """The cron that reads the crontab."""

    DEBIAN = "debian"
    """Debian's cron up to Debian 12."""
    DEBIAN_13 = "debian 13"
    CRONIE = "cronie"

    # Members are unique objects. Enum's own hash is Python code, and runs for each line.
    __hash__ = object.__hash__

    def __init__(self, name: str) -> None:
        # Attributes, not properties: they are asked for each line that is read.
        self.is_cronie = name == "cronie"
        self.takes_empty_values = name != "debian"
        """Whether `NAME=` is an environment line. Debian's cron up to 12 needs `NAME=""`."""
        self.command_limit = 131_071 if self.is_cronie else 998
        """Bytes of a command. Debian's cron refuses a longer one, cronie cuts it off."""


class InvalidSchedule(ValueError):
    """A text that cron refuses as a schedule.

    `message` says what is wrong. `field` names the wrong field ("minute", "hour", "day of month",
    "month", "day of week"); it is None when the whole text is wrong.
    """

    def __init__(self, message: str, text: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.field = field

    @property
    def suggestion(self) -> str | None:
        """The schedule that was probably meant, if there is a good guess."""
        return suggest(self.text)


@dataclass(frozen=True)
class Schedule:
    """A schedule that cron accepts. The values are sorted. Empty values select nothing."""

    text: str
    """The text as it was written, never normalised: `1-31/2` is not `*/2`."""
    reboot: bool = False
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    """0 to 6, with 0 for Sunday."""
    star_minute: bool = False
    """Whether the text of the field begins with `*`; likewise for the other three."""
    star_hour: bool = False
    star_day: bool = False
    star_weekday: bool = False
    random: bool = False
    """Whether a field has a `~` range of cronie. cronie draws one value of it when it loads the
    crontab, so nobody can know when the job runs. The values are all that cronie may draw."""
    warnings: tuple[str, ...] = ()
    """Warnings about what cron accepts but nobody can have meant."""

    @property
    def is_wildcard(self) -> bool:
        """Whether cron treats this as a wildcard job, not as a fixed job, when the clock jumps."""
        return self.star_minute or self.star_hour

    @property
    def both_must_match(self) -> bool:
        """Whether day of month *and* day of week must match. Otherwise one match is enough."""
        return self.star_day or self.star_weekday

    @property
    def never_runs(self) -> bool:
        """Whether no date and time matches."""
        if self.reboot:
            return False
        days, weekdays = _days_come(self.days, self.months), bool(self.weekdays)
        dates = days and weekdays if self.both_must_match else days or weekdays
        return not (self.minutes and self.hours and self.months and dates)


_EVERY_DAY = tuple(range(1, 32))
_EVERY_WEEKDAY = tuple(range(7))
_LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}  # days; 31 in the other months
_COUNTS = ["no", "one", "two", "three", "four", "five", "six", "seven"]


@lru_cache(maxsize=4096)
def parse(text: str, dialect: Dialect = Dialect.DEBIAN) -> Schedule:
    """Return the meaning of five fields or a nickname, without blanks around them.

    Raises InvalidSchedule for exactly the texts that this dialect's cron refuses, and for numbers
    so large that cron misreads them.
    """
    if text == "@reboot":
        return Schedule(text, reboot=True)
    fields = fields_of(text)
    if len(fields) != 5 or not all(fields) or "\n" in text or "\0" in text:
        _refuse(text, fields)
    try:
        parsed = [
            read_field(field, place, is_cronie=dialect.is_cronie)
            for place, field in enumerate(fields)
        ]
    except FieldError as problem:
        raise InvalidSchedule(_words_or(text, problem.message), text, problem.field) from None
    minutes, hours, days, months, weekdays = (part.values for part in parsed)
    star_minute, star_hour, star_day, _, star_weekday = (field[0] == "*" for field in fields)
    warnings = [warning for part in parsed for warning in part.warnings]
    if days and months and not _days_come(days, months):
        dates = " or ".join(f"{days[0]} {MONTH_NAMES[month - 1]}" for month in months)
        warnings.append(f"{dates} never comes")
    return Schedule(
        text=text,
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        star_minute=star_minute,
        star_hour=star_hour,
        star_day=star_day,
        star_weekday=star_weekday,
        random=any(part.random for part in parsed),
        warnings=tuple(warnings),
    )


def fields_of(text: str) -> list[str]:
    """Return the fields of a schedule; for a nickname, the fields that it stands for."""
    return re.split(r"[ \t]+", NICKNAMES.get(text, text))


def _days_come(days: tuple[int, ...], months: tuple[int, ...]) -> bool:
    return bool(days) and any(days[0] <= _LONGEST.get(month, 31) for month in months)


def _words_or(text: str, message: str) -> str:
    if text[0].isalpha():  # no schedule begins with a letter
        return "cron does not read words: a schedule is five fields, or a nickname such as @daily"
    return message


def _refuse(text: str, fields: list[str]) -> NoReturn:
    """Raise InvalidSchedule for a text without five fields, with the reason."""
    if not text.strip(" \t"):
        message = "the schedule is empty"
    elif "\n" in text or "\0" in text:
        message = "a schedule is one line"
    elif not fields[0] or not fields[-1]:
        message = "a schedule has no blanks before or after it"
    elif fields[0] in {*NICKNAMES, "@reboot"}:
        message = f"{fields[0]} stands alone: nothing may follow it"
    elif text[0] == "@":
        nicknames = ", ".join(["@reboot", *NICKNAMES])
        message = f"{fields[0]} is not one of cron's nicknames: {nicknames}"
    else:
        count = len(fields)
        number = _COUNTS[count] if count < len(_COUNTS) else str(count)
        noun = "field" if count == 1 else "fields"
        message = _words_or(text, f"{number} {noun}: a schedule has five")
    raise InvalidSchedule(message, text)


def _dates(schedule: Schedule) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return days and weekdays. A list is complete if it restricts nothing."""
    days, weekdays = schedule.days, schedule.weekdays
    if not schedule.both_must_match:
        if len(days) == 31 or len(weekdays) == 7:
            return _EVERY_DAY, _EVERY_WEEKDAY
        if not _days_come(days, schedule.months):
            return _EVERY_DAY, weekdays
        if not weekdays:
            return days, _EVERY_WEEKDAY
    return days, weekdays


class Meaning(NamedTuple):
    """The values that are equal for schedules with the same runs, however they are written."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    both_must_match: bool | None
    """None if at most one of days and weekdays restricts anything."""


def meaning(schedule: Schedule) -> Meaning:
    """Return the values that decide the runs; not for `@reboot`."""
    days, weekdays = _dates(schedule)
    both = schedule.both_must_match if len(days) < 31 and len(weekdays) < 7 else None
    return Meaning(schedule.minutes, schedule.hours, days, schedule.months, weekdays, both)


def describe(schedule: Schedule) -> str:
    """Return the meaning in words, by the 24-hour clock: "Mondays at 02:00"."""
    if schedule.reboot:
        return "At system start"
    if schedule.never_runs:
        return "Never"
    if schedule.random:
        return "At a time that cron picks at random"
    *values, both = meaning(schedule)
    return describing.in_words(*values, bool(both))


def suggest(text: str) -> str | None:
    """Return the schedule that `text` probably means, valid everywhere and without warnings.

    `text` may be words ("every monday at 9"), a schedule of another program, or nearly right.
    None if there is no good guess.
    """
    for guess in suggesting.guesses(text):
        try:
            if not parse(guess).warnings:
                return guess
        except InvalidSchedule:
            continue
    return None
