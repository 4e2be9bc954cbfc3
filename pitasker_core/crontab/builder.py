"""The five fields of a schedule as a person builds them, always in step with the text. Pure.

A field that is not touched keeps its text, so building never normalises what somebody wrote.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.describing import MONTHS, WEEKDAYS, name_weekdays, spell_days
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES
from pitasker_core.crontab.schedule import Dialect, Schedule


class Mode(Enum):
    """How a field selects its values."""

    EVERY = "every"
    AT = "at"
    RANGE = "range"
    STEP = "step"
    LIST = "list"
    OTHER = "other"
    """Written by hand in a way that the builder has no form for; it is kept."""


CHOICES = (Mode.EVERY, Mode.AT, Mode.RANGE, Mode.STEP)
"""The modes that a person chooses from; AT with several values is a LIST."""


@dataclass(frozen=True)
class FieldKind:
    """One of the five fields: its values, and the names by which a person chooses them."""

    name: str
    low: int
    high: int
    labels: dict[int, str]
    names: dict[str, int]
    """What may stand for a number in the text."""
    usual_range: tuple[int, int]
    """A range to begin with, when a person chooses that mode; likewise `usual_step`."""
    usual_step: int


def _numbers(low: int, high: int) -> dict[int, str]:
    return {number: str(number) for number in range(low, high + 1)}


MINUTE = FieldKind("minute", 0, 59, {n: f"{n:02}" for n in range(60)}, {}, (0, 30), 15)
HOUR = FieldKind("hour", 0, 23, {n: f"{n:02}" for n in range(24)}, {}, (9, 17), 2)
DAY = FieldKind("day of month", 1, 31, _numbers(1, 31), {}, (1, 7), 2)
MONTH = FieldKind("month", 1, 12, dict(enumerate(MONTH_NAMES, 1)), MONTHS, (6, 8), 3)
# Monday comes first, and Sunday is 7: a range that ends with 0 runs backward.
_DAYS_OF_WEEK = {n: WEEKDAY_NAMES[n % 7] for n in range(1, 8)}
WEEKDAY = FieldKind("day of week", 1, 7, _DAYS_OF_WEEK, WEEKDAYS, (1, 5), 2)
KINDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)

PRESETS = {
    "Every 5 minutes": "*/5 * * * *",
    "Every 15 minutes": "*/15 * * * *",
    "Every hour": "0 * * * *",
    "Every day at 02:00": "0 2 * * *",
    "Monday to Friday at 07:30": "30 7 * * 1-5",
    "Sundays at 03:00": "0 3 * * 0",
    "On the 1st of every month at 03:00": "0 3 1 * *",
    "On 1 January at 04:00": "0 4 1 1 *",
    "At system start": "@reboot",
}
"""Schedules to begin with; the names are the descriptions."""

_VALUE = r"[0-9]{1,2}|[A-Za-z]{3}"
_SPAN = re.compile(rf"(?P<all>\*)|(?P<first>{_VALUE})(?:-(?P<last>{_VALUE}))?")
_STEPPED = re.compile(rf"(?:\*|(?P<first>{_VALUE})-(?P<last>{_VALUE}))/(?P<step>[0-9]{{1,2}})")
_WRAPPED = re.compile(
    r"(?P<first>[0-9]{1,2})(?:-(?P<high>[0-9]{1,2}))?,"
    r"(?P<low>[0-9]{1,2})(?:-(?P<last>[0-9]{1,2}))?"
)
_LIST = re.compile(rf"(?:{_VALUE})(?:,(?:{_VALUE}))+")


@dataclass(frozen=True)
class Field:
    """One field. `text` is what stands in the schedule; the other parts say how it came about."""

    kind: FieldKind
    text: str
    mode: Mode
    values: tuple[int, ...] = ()
    """The value of AT, the values of LIST, the ends of RANGE, and of STEP if it has any."""
    step: int = 1


def every(kind: FieldKind) -> Field:
    """The field that restricts nothing."""
    return Field(kind, "*", Mode.EVERY)


def at(kind: FieldKind, *values: int) -> Field:
    """The field of one value, or of a list."""
    chosen = tuple(sorted(set(values)))
    text = ",".join(map(str, chosen))
    return Field(kind, text, Mode.AT if len(chosen) == 1 else Mode.LIST, chosen)


def from_to(kind: FieldKind, first: int, last: int) -> Field:
    """The field of a range; one that wraps round is written as a list of two ranges."""
    if first <= last:
        return Field(kind, f"{first}-{last}", Mode.RANGE, (first, last))
    ends = [f"{a}-{b}" if a < b else str(a) for a, b in ((first, kind.high), (kind.low, last))]
    return Field(kind, ",".join(ends), Mode.RANGE, (first, last))


def stepped(kind: FieldKind, step: int, first: int | None = None, last: int | None = None) -> Field:
    """The field of every `step`-th value, of all or of a range."""
    if first is None or last is None:
        return Field(kind, f"*/{step}", Mode.STEP, (), step)
    return Field(kind, f"{first}-{last}/{step}", Mode.STEP, (first, last), step)


def with_mode(field: Field, mode: Mode) -> Field:
    """The field in another mode, with values of it where it has any, else with usual ones."""
    kind, values = field.kind, field.values
    if mode is Mode.EVERY:
        return every(kind)
    if mode is Mode.AT:
        return at(kind, values[0] if values else kind.low)
    if mode is Mode.RANGE:
        first, last = (values[0], values[-1]) if len(values) > 1 else kind.usual_range
        return from_to(kind, first, last)
    ends = values if field.mode is Mode.RANGE and values[0] <= values[1] else ()
    return stepped(kind, kind.usual_step, *ends)


def read_field(kind: FieldKind, text: str) -> Field:
    """A field of a schedule that cron accepts."""
    if text == "*":
        return every(kind)
    if (match := _WRAPPED.fullmatch(text)) is not None:
        first, high = int(match["first"]), int(match["high"] or match["first"])
        low, last = int(match["low"]), int(match["last"] or match["low"])
        if (high, low) == (kind.high, kind.low) and first > last:
            return Field(kind, text, Mode.RANGE, (first, last))
    if (match := _STEPPED.fullmatch(text)) is not None:
        ends = (match["first"], match["last"]) if match["first"] else ()
        values = tuple(_value(kind, end) for end in ends)
        # A step that begins at Sunday as 0 has no form: the builder's Sunday is 7.
        if not values or values[0] <= values[1]:
            return Field(kind, text, Mode.STEP, values, int(match["step"]))
    if (match := _SPAN.fullmatch(text)) is not None:
        if match["last"] is None:
            return Field(kind, text, Mode.AT, (_value(kind, match["first"]),))
        return Field(
            kind, text, Mode.RANGE, (_value(kind, match["first"]), _value(kind, match["last"]))
        )
    if _LIST.fullmatch(text):
        values = tuple(sorted({_value(kind, part) for part in text.split(",")}))
        return Field(kind, text, Mode.LIST, values)
    return Field(kind, text, Mode.OTHER)


def _value(kind: FieldKind, text: str) -> int:
    number = kind.names.get(text.lower())
    number = int(text) if number is None else number
    return 7 if kind is WEEKDAY and number == 0 else number


@dataclass(frozen=True)
class Build:
    """A schedule in the builder."""

    text: str
    """The schedule, as it was written as far as nothing was changed."""
    fields: tuple[Field, ...]
    """Five, of a nickname those that it stands for; none of `@reboot`."""

    def with_field(self, field: Field) -> "Build":
        """The schedule with another field in the place of the one of the same kind.

        The other fields and the blanks between them stay as they are. A nickname becomes the five
        fields that it stands for; at `@reboot` the others restrict nothing.
        """
        fields = self.fields or tuple(map(every, KINDS))
        place = KINDS.index(field.kind)
        pieces = re.split(r"([ \t]+)", self.text)
        if len(pieces) != 9:
            pieces = re.split("( )", " ".join(other.text for other in fields))
        pieces[2 * place] = field.text
        changed = (*fields[:place], field, *fields[place + 1 :])
        return replace(self, text="".join(pieces), fields=changed)


def read_schedule(text: str, dialect: Dialect = Dialect.DEBIAN) -> Build:
    """The schedule in the builder. Raises InvalidSchedule for what cron refuses."""
    schedule = schedules.parse(text, dialect)
    if schedule.reboot:
        return Build(text, ())
    parts = schedules.fields_of(text)
    fields = [read_field(kind, part) for kind, part in zip(KINDS, parts, strict=True)]
    return Build(text, tuple(fields))


def explain_days(schedule: Schedule) -> str:
    """How day of month and day of week combine; "" where only one of them restricts anything."""
    if schedule.reboot or schedule.never_runs:
        return ""
    meaning = schedules.meaning(schedule)
    if meaning.both_must_match is None:
        return ""
    days = f"the {spell_days(meaning.days)}"
    weekdays = name_weekdays(meaning.weekdays)
    if not meaning.both_must_match:
        return (
            f"Cron runs this on {days} and on every {weekdays}: with both fields set, either of "
            "them is enough."
        )
    starred = "day of month" if schedule.star_day else "day of week"
    return (
        f"Cron runs this on {days}, but only on every {weekdays}: the {starred} begins with *, so "
        "both must match."
    )
