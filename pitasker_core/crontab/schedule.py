"""What cron accepts as a schedule and what it then does: our own parser decides both.

Debian's cron 3.0pl1 on x86-64 is the measure, cronie's where it differs. No library and no exit
status of `crontab` may decide: libraries read many schedules differently from cron, and on ARM
Debian's `crontab` takes schedules that it should refuse.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, NoReturn

from pitasker_core.crontab import describing, suggesting
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES


class Dialect(Enum):
    """Which cron reads the crontab."""

    DEBIAN = "debian"
    """Debian's, up to Debian 12."""
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
    """A text that cron would not take as a schedule.

    `message` says in plain words what is wrong with which piece; `field` names the piece ("minute",
    "hour", "day of month", "month", "day of week"), or is None when the whole is at fault.
    """

    def __init__(self, message: str, text: str = "", field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.field = field

    @property
    def suggestion(self) -> str | None:
        """A schedule that was probably meant, if one can be guessed."""
        return suggest(self.text)


@dataclass(frozen=True)
class Schedule:
    """A schedule that cron accepts. The values are sorted, and empty if nothing is selected."""

    text: str
    """Exactly as written, never normalised: `1-31/2` is not `*/2`."""
    reboot: bool = False
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    """0 to 6, with 0 for Sunday."""
    star_minute: bool = False
    """The field literally begins with `*`; so for the other three."""
    star_hour: bool = False
    star_day: bool = False
    star_weekday: bool = False
    random: bool = False
    """cronie draws one value of each `~` range when it loads the crontab; the values are all that
    it may draw, and nobody can tell when the job runs."""
    warnings: tuple[str, ...] = ()
    """What cron accepts but surely nobody meant, in plain words."""

    @property
    def is_wildcard(self) -> bool:
        """One of cron's two kinds of jobs, which it treats differently when the clock jumps."""
        return self.star_minute or self.star_hour

    @property
    def both_must_match(self) -> bool:
        """Whether day of month *and* day of week must match; otherwise one of them is enough."""
        return self.star_day or self.star_weekday

    @property
    def never_runs(self) -> bool:
        """True when no date and time fits."""
        if self.reboot:
            return False
        days, weekdays = _days_come(self.days, self.months), bool(self.weekdays)
        dates = days and weekdays if self.both_must_match else days or weekdays
        return not (self.minutes and self.hours and self.months and dates)


# The fields are cron's own expansion of its nicknames.
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY_DAY = tuple(range(1, 32))
_EVERY_WEEKDAY = tuple(range(7))
_LONGEST = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}  # days; 31 in the other months
_COUNTS = ["no", "one", "two", "three", "four", "five", "six", "seven"]
_TOO_LONG = 1000  # letters and digits in one number or name: cron's buffer
_TOO_LARGE = 2**31 - 60  # from here a number, or a value plus a step, wraps in cron's `int`


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: dict[str, int]
    values: str


_FIELDS = (
    _Field("minute", 0, 59, {}, "0 to 59"),
    _Field("hour", 0, 23, {}, "0 to 23"),
    _Field("day of month", 1, 31, {}, "1 to 31"),
    _Field("month", 1, 12, describing.MONTHS, "1 to 12 or jan to dec"),
    # `sun` is 0, also at the end of a range: `sat-sun` runs backward.
    _Field("day of week", 0, 7, describing.WEEKDAYS, "0 to 7 or sun to sat"),
)

# cron collects letters and digits before it asks what they are, so `5x` is one bad number and
# `5#x` is 5 followed by junk. Each part may turn out empty, which is an error of its own.
_ELEMENT = {
    dialect: re.compile(
        rf"(?:\*|(?P<first>[0-9A-Za-z]*)(?:(?P<sign>{signs})(?P<last>[0-9A-Za-z]*))?)"
        r"(?:/(?P<step>[0-9A-Za-z]*))?"
    )
    for dialect in Dialect
    for signs in ("[-~]" if dialect.is_cronie else "-",)
}


class _Parsed(NamedTuple):
    values: tuple[int, ...]
    random: bool
    warnings: tuple[str, ...]


@lru_cache(maxsize=4096)
def parse(text: str, dialect: Dialect = Dialect.DEBIAN) -> Schedule:
    """The meaning of five fields or a nickname, without blanks around them.

    Raises InvalidSchedule for exactly what this dialect's cron refuses, and for numbers so large
    that cron misreads them.
    """
    if text == "@reboot":
        return Schedule(text, reboot=True)
    fields = fields_of(text)
    if len(fields) != 5 or not all(fields) or "\n" in text or "\0" in text:
        _refuse(text, fields)
    try:
        parsed = [_field(field, place, dialect) for place, field in enumerate(fields)]
    except InvalidSchedule as problem:
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
    """The fields of a schedule, of a nickname those that it stands for."""
    return re.split(r"[ \t]+", _NICKNAMES.get(text, text))


def _days_come(days: tuple[int, ...], months: tuple[int, ...]) -> bool:
    return bool(days) and any(days[0] <= _LONGEST.get(month, 31) for month in months)


def _words_or(text: str, message: str) -> str:
    if text[0].isalpha():  # no schedule begins with a letter
        return "cron does not read words: a schedule is five fields, or a nickname such as @daily"
    return message


def _refuse(text: str, fields: list[str]) -> NoReturn:
    """Say why a text that has not five fields is no schedule."""
    if not text.strip(" \t"):
        message = "the schedule is empty"
    elif "\n" in text or "\0" in text:
        message = "a schedule is one line"
    elif not fields[0] or not fields[-1]:
        message = "a schedule has no blanks before or after it"
    elif fields[0] in {*_NICKNAMES, "@reboot"}:
        message = f"{fields[0]} stands alone: nothing may follow it"
    elif text[0] == "@":
        known = ", ".join(["@reboot", *_NICKNAMES])
        message = f"{fields[0]} is not one of cron's nicknames: {known}"
    else:
        count = len(fields)
        number = _COUNTS[count] if count < len(_COUNTS) else str(count)
        noun = "field" if count == 1 else "fields"
        message = _words_or(text, f"{number} {noun}: a schedule has five")
    raise InvalidSchedule(message, text)


@lru_cache(maxsize=4096)
def _field(text: str, place: int, dialect: Dialect) -> _Parsed:
    """Read one field as cron does: elements with commas between them."""
    field = _FIELDS[place]
    values: set[int] = set()
    warnings = []
    random = False
    at = 0
    while True:
        element = _ELEMENT[dialect].match(text, at)
        assert element is not None  # noqa: S101 - every part of the pattern may be empty
        try:
            chosen, warning = _element(element, field, dialect)
        except ValueError as problem:
            shown = text[at:].split(",")[0]
            raise InvalidSchedule(
                str(problem)
                or (
                    f"{field.name} must be {field.values}, not {shown!r}"
                    if shown
                    else f"{field.name}: a value is missing next to a comma"
                ),
                field=field.name,
            ) from None
        values.update(chosen)
        random = random or element["sign"] == "~"
        if warning:
            warnings.append(f"{field.name}: {warning}")
        at = element.end()
        if at == len(text):
            break
        if text[at] != ",":
            # Debian's cron skips the rest of the field without a word; cronie does not.
            junk = f"{text[at:]!r} after {element[0]!r}"
            if dialect.is_cronie:
                raise InvalidSchedule(f"{field.name} cannot have {junk}", field=field.name)
            warnings.append(f"{field.name}: cron ignores {junk}")
            break
        at += 1
    if place == 4:
        values = {value % 7 for value in values}  # 7 is Sunday as well
    return _Parsed(tuple(sorted(values)), random, tuple(warnings))


def _element(element: re.Match[str], field: _Field, dialect: Dialect) -> tuple[range, str]:
    """The values of one element, and a warning or "". Raises ValueError, with words or without."""
    first, last = field.low, field.high
    sign, step_text = element["sign"], element["step"]
    if sign == "~":
        # cronie: either bound may be left out, no step may follow.
        first = _number(element["first"], field) if element["first"] else first
        last = _number(element["last"], field) if element["last"] else last
        if step_text is not None or first > last:
            raise ValueError
    elif element["first"] is not None:
        first = last = _number(element["first"], field)
        if sign:
            last = _number(element["last"], field)
        elif step_text is not None:
            raise ValueError(f"{field.name}: a step needs * or a range before it")
    if step_text is None:
        step = 1
        if dialect.is_cronie and field.high == 7 and sign == "-" and last == 0 < first:
            last = 7  # cronie means Sunday at the end of a range, unless a step follows
    else:
        step = _digits(step_text)
        if step == 0:
            raise ValueError(f"{field.name}: a step cannot be 0")
        if first + step >= _TOO_LARGE:
            raise ValueError(f"{field.name}: a step cannot be that large")
    chosen = range(first, last + 1, step)
    if first > last:
        return chosen, f"the range {element[0]!r} runs backward and selects nothing"
    if step > last - first + 1:
        return chosen, f"the step of {element[0]!r} is so large that it selects only {first}"
    return chosen, ""


def _number(text: str, field: _Field) -> int:
    number = field.names.get(text.lower())
    if number is None:
        number = _digits(text)
    if not field.low <= number <= field.high:
        raise ValueError(f"{field.name} must be {field.values}")
    return number


def _digits(text: str) -> int:
    if not text.isdigit() or len(text) >= _TOO_LONG:
        raise ValueError
    return int(text)


def _dates(schedule: Schedule) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Days and weekdays, each complete if it has no say, so that a full one restricts nothing."""
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
    """What two schedules share that always run at the same times, however they are written."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    both_must_match: bool | None
    """None where only one of days and weekdays restricts anything."""


def meaning(schedule: Schedule) -> Meaning:
    """The values that have a say; not for `@reboot`."""
    days, weekdays = _dates(schedule)
    both = schedule.both_must_match if len(days) < 31 and len(weekdays) < 7 else None
    return Meaning(schedule.minutes, schedule.hours, days, schedule.months, weekdays, both)


def describe(schedule: Schedule) -> str:
    """What the schedule means, in words, by the 24-hour clock: "Mondays at 02:00"."""
    if schedule.reboot:
        return "At system start"
    if schedule.never_runs:
        return "Never"
    if schedule.random:
        return "At a time that cron picks at random"
    *values, both = meaning(schedule)
    return describing.in_words(*values, bool(both))


def suggest(text: str) -> str | None:
    """A schedule that is valid everywhere, without warnings, and probably what `text` means.

    `text` may be words ("every monday at 9"), a schedule of another program, or nearly right.
    None when no guess is good enough.
    """
    for guess in suggesting.guesses(text):
        try:
            if not parse(guess).warnings:
                return guess
        except InvalidSchedule:
            continue
    return None
