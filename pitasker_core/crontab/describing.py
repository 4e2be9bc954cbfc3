"""Schedules in words: sets of values as a sentence that says exactly what happens.

`phrases` understands every sentence that is written here.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, ORDINAL_NAMES, WEEKDAY_NAMES
from pitasker_core.crontab.series import distance, spans

MONTHS = {name[:3].lower(): number for number, name in enumerate(MONTH_NAMES, 1)}
WEEKDAYS = {name[:3].lower(): number for number, name in enumerate(WEEKDAY_NAMES)}
"""The three-letter names that cron knows, in upper or lower case. It knows no longer names."""

Values = tuple[int, ...]

_LISTED = 6
"""Up to so many times of day are listed one by one."""


@lru_cache(maxsize=4096)
def in_words(
    minutes: Values, hours: Values, days: Values, months: Values, weekdays: Values, both: bool
) -> str:
    """Words for values none of which is empty; `both`: the day of month *and* the weekday match."""
    date = _date(days, months, weekdays, both)
    interval = _interval(minutes, hours)
    if interval is None:
        text = f"{date or 'every day'} at {_join(_times(minutes, hours))}"
    else:
        text = f"{interval}, {date}" if date else interval
    return text[0].upper() + text[1:]


def _interval(minutes: Values, hours: Values) -> str | None:
    """Words for what happens often; None for a few times of day."""
    count = len(minutes) * len(hours)
    step = _even_step(minutes)
    often = library_words(f"*/{step} * * * *") if step else None
    if len(hours) == 24:
        return _of_every_hour(minutes, often)
    if often and count > 3 and (run := _as_run(hours)):
        return f"{often} from {run[0]:02}:{minutes[0]:02} to {run[-1]:02}:{minutes[-1]:02}"
    if len(minutes) == 1 and (words := _every_hours(minutes[0], hours)):
        return words
    if count <= _LISTED:
        return None
    noun = "hour" if len(hours) == 1 else "hours"
    return f"{often or _at_minutes(minutes)} of the {noun} {_spell(hours)}"


def _of_every_hour(minutes: Values, often: str | None) -> str:
    if often:
        return often
    if minutes == (0,):
        return library_words("0 * * * *")
    return f"{_at_minutes(minutes)} of every hour"


def _every_hours(minute: int, hours: Values) -> str | None:
    """Words for hours at even distances; None if there are few, or their distances differ."""
    step = distance(hours)
    run = _as_run(hours)
    if run and len(run) > 3:
        return f"every hour from {run[0]:02}:{minute:02} to {run[-1]:02}:{minute:02}"
    if step < 2 or len(hours) < 3:
        return None
    if hours[0] == 0 and hours[-1] + step == 24:
        words = library_words(f"0 */{step} * * *")
        return words if minute == 0 else f"{words} at minute {minute}"
    if len(hours) > 4:
        return f"every {step} hours from {hours[0]:02}:{minute:02} to {hours[-1]:02}:{minute:02}"
    return None


@lru_cache(maxsize=256)
def library_words(expression: str) -> str:
    """What cron-descriptor says. Only for the shapes that it words rightly."""
    from cron_descriptor import Options, get_description

    clock = Options(use_24hour_time_format=True, locale_code="en_US")
    words: str = get_description(expression, clock)
    return words[0].lower() + words[1:]


def _even_step(minutes: Values) -> int:
    """The distance of minutes that divide the whole hour evenly from 0 on; 0 if they do not."""
    step = 60 // len(minutes)
    return step if len(minutes) > 1 and minutes == tuple(range(0, 60, step)) else 0


def _as_run(hours: Values) -> Values | None:
    """The hours as one run, perhaps over midnight; None if they are not consecutive."""
    chosen = set(hours)
    starts = [hour for hour in hours if (hour - 1) % 24 not in chosen]
    if len(starts) != 1:
        return None
    return tuple((starts[0] + offset) % 24 for offset in range(len(hours)))


def _at_minutes(minutes: Values) -> str:
    return f"at minute{'s' if len(minutes) > 1 else ''} {_spell(minutes)}"


def _times(minutes: Values, hours: Values) -> list[str]:
    return [f"{hour:02}:{minute:02}" for hour in hours for minute in minutes]


def _date(days: Values, months: Values, weekdays: Values, both: bool) -> str:
    """Words for the days; "" for every day."""
    every_day, every_weekday = len(days) == 31, len(weekdays) == 7
    if every_day and every_weekday:
        return f"every day {_in_months(months)}" if len(months) < 12 else ""
    if every_day:
        return f"{_weekdays(weekdays)} {_in_months(months)}".strip()
    if every_weekday:
        return _days(days, months)
    if not both:
        names = name_weekdays(weekdays)
        if len(months) == 12:
            return f"on the {spell_days(days)} of every month and on every {names}"
        return f"on the {spell_days(days)} and on every {names} {_in_months(months)}"
    number = (days[-1] + 6) // 7
    if len(weekdays) == 1 and days == tuple(range(7 * number - 6, min(7 * number, 31) + 1)):
        name = WEEKDAY_NAMES[weekdays[0]]
        return f"on the {ORDINAL_NAMES[number]} {name} of {_month_names(months)}"
    return f"{_days(days, months)}, but only on {_weekdays(weekdays)}"


def _days(days: Values, months: Values) -> str:
    if len(days) == 1 and len(months) == 1:
        return f"on {days[0]} {MONTH_NAMES[months[0] - 1]}"
    return f"on the {spell_days(days)} of {_month_names(months)}"


def _month_names(months: Values) -> str:
    return "every month" if len(months) == 12 else _join(_names(months, MONTH_NAMES, 1))


def _in_months(months: Values) -> str:
    if len(months) == 12:
        return ""
    is_run = len(months) > 2 and distance(months) == 1
    return f"{'from' if is_run else 'in'} {_month_names(months)}"


def name_weekdays(weekdays: Values) -> str:
    """ "Monday to Friday and Sunday"."""
    return _weekdays(weekdays, plural=False)


def _weekdays(weekdays: Values, plural: bool = True) -> str:
    monday_first = tuple(sorted(day or 7 for day in weekdays))
    names = (*WEEKDAY_NAMES, WEEKDAY_NAMES[0])
    return _join(_names(monday_first, names, 0, "s" if plural else ""))


def _names(values: Values, names: Sequence[str], first: int, ending: str = "") -> list[str]:
    return [
        names[low - first] + ending
        if low == high
        else f"{names[low - first]} to {names[high - first]}"
        for low, high in spans(values)
    ]


def spell_days(days: Values) -> str:
    """ "1st, 3rd and 10th to 20th"."""
    return _spell(days, _ordinal)


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _spell(values: Values, word: Callable[[int], str] = str) -> str:
    """1, 2, 3, 7 as "1 to 3 and 7"; 1, 3, 5, 7, 9, 11 as "1, 3, 5, … 11"."""
    if len(values) >= _LISTED and distance(values) > 1:
        first, second, third = map(word, values[:3])
        return f"{first}, {second}, {third}, … {word(values[-1])}"
    return _join([word(a) if a == b else f"{word(a)} to {word(b)}" for a, b in spans(values)])


def _join(parts: list[str]) -> str:
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
