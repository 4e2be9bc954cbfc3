"""Schedules in words, and guesses at the schedule that words or a slip of the pen mean.

Numbers and text only: what is valid, and what it means, is for `schedule.py` to say.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

MONTHS = {name[:3].lower(): number for number, name in enumerate(MONTH_NAMES, 1)}
WEEKDAYS = {name[:3].lower(): number for number, name in enumerate(_WEEKDAY_NAMES)}
"""The three letters that cron knows, in any case; it knows no longer ones."""

Values = tuple[int, ...]

# Where cron-descriptor's words say exactly what happens, by the shapes of minute and hour. Left
# out: `*/15` in hours 9 and 17 ("every 15 minutes, at 09:00 and 17:00") and its like.
_WORDED_RIGHTLY = {
    "one": {"one", "list", "all", "step", "range"},
    "all": {"one", "all", "range"},
    "step": {"one", "all", "range"},
    "range": {"one", "all", "range", "step"},
    "list": {"all", "range", "step"},
}
_FEW = 6  # so many times of day are named one by one


@lru_cache(maxsize=4096)
def in_words(
    minutes: Values, hours: Values, days: Values, months: Values, weekdays: Values, both: bool
) -> str:
    """Words for values none of which is empty; `both`: the day of month *and* the weekday match."""
    minute, hour = _cron(minutes, 0, 59, 2), _cron(hours, 0, 23, 3)
    own_date = len(days) < 31 and len(weekdays) < 7
    rightly = _shape(hour) in _WORDED_RIGHTLY[_shape(minute)]
    if rightly and not own_date:
        day, month = _cron(days, 1, 31), _cron(months, 1, 12)
        return library_words(f"{minute} {hour} {day} {month} {_weekdays_for_cron(weekdays)}")
    time = library_words(f"{minute} {hour} * * *") if rightly else _time(minutes, hours)
    return time + _date(days, weekdays, both) + _months(months)


def library_words(expression: str) -> str:
    """What cron-descriptor says. Only for the shapes that it words rightly."""
    from cron_descriptor import Options, get_description

    clock = Options(use_24hour_time_format=True, locale_code="en_US")
    words: str = get_description(expression, clock)
    return words.replace(", only ", " ")


def _cron(values: Values, low: int, high: int, steps_from: int = 99) -> str:
    """The plainest field that selects the values; a step only where it divides the whole evenly."""
    count, span = len(values), high - low + 1
    if count == span:
        return "*"
    if count >= steps_from and span % count == 0 and values == _spread(low, high, span // count):
        return f"*/{span // count}"
    if count > 2 and values == _spread(values[0], values[-1]):
        return f"{values[0]}-{values[-1]}"
    return ",".join(map(str, values))


def _weekdays_for_cron(weekdays: Values) -> str:
    """The field that selects the weekdays; Sunday stands first only if that makes a range."""
    sunday_last = tuple(sorted(day or 7 for day in weekdays))
    return min(_cron(sunday_last, 1, 7), _cron(weekdays, 0, 6), key=len)


def _spread(first: int, last: int, step: int = 1) -> Values:
    return tuple(range(first, last + 1, step))


def _shape(field: str) -> str:
    signs = {"*": "all", "/": "step", "-": "range", ",": "list"}
    return next((signs[sign] for sign in "/-,*" if sign in field), "one")


def _time(minutes: Values, hours: Values) -> str:
    if len(minutes) * len(hours) <= _FEW:
        return "At " + _join([f"{hour:02}:{minute:02}" for hour in hours for minute in minutes])
    field = _cron(minutes, 0, 59, 2)
    if _shape(field) == "all":
        start = "Every minute"
    elif _shape(field) == "step":
        start = f"Every {field[2:]} minutes"
    else:
        start = f"At minutes {_spell(minutes)}"
    return f"{start} of the hour{'s' if len(hours) > 1 else ''} {_spell(hours)}"


def _date(days: Values, weekdays: Values, both: bool) -> str:
    day = f" on day{'s' if len(days) > 1 else ''} {_spell(days)} of the month"
    names = [_WEEKDAY_NAMES[weekday % 7] for weekday in sorted(day or 7 for day in weekdays)]
    if len(weekdays) == 7:
        return "" if len(days) == 31 else day
    if len(days) == 31:
        return f" on {_join(names)}"
    if both:
        return f"{day}, but only if it is {_join(names, 'or')}"
    return f"{day} and on every {_join(names)}"


def _months(months: Values) -> str:
    if len(months) == 12:
        return ""
    return f" in {_join([MONTH_NAMES[month - 1] for month in months])}"


def _spell(values: Values) -> str:
    """1, 2, 3, 7 as "1 to 3 and 7"; 1, 3, 5, 7, 9, 11 as "1, 3, 5, … 11"."""
    if len(values) > _FEW - 1 and values == _spread(values[0], values[-1], values[1] - values[0]):
        step = values[1] - values[0]
        if step > 1:
            return f"{values[0]}, {values[1]}, {values[2]}, … {values[-1]}"
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    parts = []
    for run in runs:
        parts += [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(value) for value in run]
    return _join(parts)


def _join(parts: list[str], word: str = "and") -> str:
    *most, last = parts
    return f"{', '.join(most)} {word} {last}" if most else last


# --- Guesses -------------------------------------------------------------------------------------

_LOW = (0, 0, 1, 1, 0)
_HIGH = (59, 23, 31, 12, 6)
_NAMES: tuple[dict[str, int], ...] = ({}, {}, {}, MONTHS, WEEKDAYS)

_UNITS = {"m": 1, "h": 60, "d": 1440}
_NUMBERS = {
    "one": "1",
    "two": "2",
    "other": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "eight": "8",
    "ten": "10",
    "twelve": "12",
    "fifteen": "15",
    "twenty": "20",
    "thirty": "30",
}
_INTERVAL = re.compile(
    r"@?(?:every|each) (?:([0-9]{1,4}) ?)?(m|h|d)(?:in|ins|inutes?|r|rs|ours?|ays?)?"
)
_AT_START = re.compile(
    r"(?:(?:at|on|after|every) )?(?:(?:system|each|every) )?(?:re)?(?:boot|start(?:-?up)?)"
)
_CLOCK = re.compile(
    r"(?<!\S)(?P<at>at )?(?:(?P<word>noon|midnight)"
    r"|(?P<hour>[0-9]{1,2})(?:[:.](?P<minute>[0-9]{2}))? ?(?P<half>am|pm|h|o'clock)?)(?!\S)"
)
_ORDINAL = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)")
_FILLERS = frozenset(["every", "each", "on", "at", "the", "of", "and", "a", "in", "from", "once"])
_PERIODS = {
    "hour": "hour",
    "hourly": "hour",
    "minute": "minute",
    "day": "day",
    "daily": "day",
    "everyday": "day",
    "night": "day",
    "nightly": "day",
    "week": "week",
    "weekly": "week",
    "month": "month",
    "monthly": "month",
    "year": "year",
    "yearly": "year",
    "annually": "year",
}
_NICKNAMES = {
    "minute": "* * * * *",
    "hour": "@hourly",
    "day": "@daily",
    "week": "@weekly",
    "month": "@monthly",
    "year": "@yearly",
}
_AT_TIME = {
    "day": "{} * * *",
    "week": "{} * * 0",
    "month": "{} 1 * *",
    "year": "{} 1 1 *",
}
_WEEKDAY_GROUPS = {"weekday": "1-5", "workday": "1-5", "weekend": "6-7"}


def guesses(text: str) -> Iterator[str]:
    """What `text` may be meant to say, best first. Not all need be valid schedules."""
    text = " ".join(text.split())
    yield text
    text = text.lower().replace("–", "-")
    yield text
    yield from _from_words(text)
    yield from _from_fields(text)


def _from_words(text: str) -> Iterator[str]:
    text = " ".join(_NUMBERS.get(word, word) for word in text.rstrip(".").split())
    text = re.sub(r" ?\b(?:to|through|until) ", "-", text)
    interval = _INTERVAL.fullmatch(text)
    if interval:
        yield from _every(int(interval[1] or 1) * _UNITS[interval[2]])
    elif _AT_START.fullmatch(text):
        yield "@reboot"
    else:
        yield from _from_dates(text)


def _every(minutes: int) -> Iterator[str]:
    """Only what the clock divides evenly: `*/45` is not every 45 minutes."""
    hours, rest = divmod(minutes, 60)
    if minutes == 1:
        yield "* * * * *"
    elif 1 < minutes < 60 and 60 % minutes == 0:
        yield f"*/{minutes} * * * *"
    elif hours in (1, 24) and not rest:
        yield "@hourly" if hours == 1 else "@daily"
    elif hours and 24 % hours == 0 and not rest:
        yield f"0 */{hours} * * *"


def _from_dates(text: str) -> Iterator[str]:
    """Days and at most one time of day; nothing if a word is left that we do not know."""
    clocks = [match for match in _CLOCK.finditer(text) if _is_time(match)]
    if len(clocks) > 1:
        return
    time = ""
    if clocks:
        time = _minute_and_hour(clocks[0])
        text = text[: clocks[0].start()] + text[clocks[0].end() :]
    weekdays, days, months, periods = [], [], [], set()
    for word in re.split(r"[ ,]+", text):
        if not word or word in _FILLERS:
            continue
        singular = word.removesuffix("s")
        ordinal = _ORDINAL.fullmatch(word)
        if word in _PERIODS:
            periods.add(_PERIODS[word])
        elif singular in _WEEKDAY_GROUPS:
            weekdays.append(_WEEKDAY_GROUPS[singular])
        elif ordinal:
            days.append(ordinal[1])
        elif all(_short(part, _WEEKDAY_NAMES) for part in singular.split("-")):
            weekdays.append(_element("-".join(_numbers(singular, _WEEKDAY_NAMES, 0)), 4))
        elif _short(word, MONTH_NAMES):
            months += _numbers(word, MONTH_NAMES, 1)
        else:
            return
    at = time or "0 0"
    if weekdays:
        if not days and not months and periods <= {"week"}:
            yield f"{at} * * {','.join(weekdays)}"
    elif days:
        if periods <= ({"year"} if months else {"month"}):
            yield f"{at} {','.join(days)} {','.join(months) or '*'} *"
    elif not months and len(periods) <= 1:
        period = next(iter(periods), "day" if time else "")
        if time and period in _AT_TIME:
            yield _AT_TIME[period].format(time)
        elif not time and period:
            yield _NICKNAMES[period]


def _is_time(match: re.Match[str]) -> bool:
    """A bare number is a time of day only behind "at"; 13 pm is none."""
    if match["half"] in ("am", "pm"):
        return 1 <= int(match["hour"]) <= 12
    return bool(match["at"] or match["word"] or match["minute"] or match["half"])


def _minute_and_hour(match: re.Match[str]) -> str:
    if match["word"]:
        return "0 12" if match["word"] == "noon" else "0 0"
    hour = int(match["hour"])
    if match["half"] in ("am", "pm"):
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    return f"{int(match['minute'] or 0)} {hour}"


def _short(word: str, names: list[str]) -> str:
    """The three letters of a name that is written out or cut short, else ""."""
    if len(word) < 3:
        return ""
    return next((name[:3].lower() for name in names if name.lower().startswith(word)), "")


def _numbers(word: str, names: list[str], first: int) -> list[str]:
    shorts = [name[:3].lower() for name in names]
    return [str(shorts.index(_short(part, names)) + first) for part in word.split("-")]


def _from_fields(text: str) -> Iterator[str]:
    """Schedules of other programs, and slips."""
    fields = re.sub(r" ?, ?", ",", text).split(" ")
    if text.startswith("@"):
        yield fields[0]
    elif len(fields) == 4:
        yield _repaired([*fields, "*"])
    elif len(fields) == 5:
        minute, hour = fields[:2]
        if minute.isdecimal() and hour.isdecimal() and int(minute) < 24 < int(hour) < 60:
            yield " ".join([hour, minute, *fields[2:]])  # written as a clock shows it
        yield _repaired(fields)
    elif len(fields) > 5:
        # Seconds in front, and perhaps a year behind. With `?` in it, 1 is Sunday: no guess then.
        if "?" in text and re.search("[0-9]", fields[5]):
            return
        if len(fields) == 6 or fields[6:] == ["*"]:
            yield _repaired(fields[1:6])
        yield _repaired(fields[:5])


def _repaired(fields: list[str]) -> str:
    return " ".join(
        ",".join(_element(element, place) for element in field.split(",") if element)
        for place, field in enumerate(fields)
    )


def _element(text: str, place: int) -> str:
    """One element of a field, as it was probably meant."""
    low, high = _LOW[place], _HIGH[place]
    if text in ("?", "**", "*/0"):
        return "*"
    if place > 2:
        names = MONTH_NAMES if place == 3 else _WEEKDAY_NAMES
        text = re.sub("[a-z]{4,}", lambda word: _short(word[0], names) or word[0], text)
    text = re.sub(r"^\*(?=[0-9])", "*/", text.replace("..", "-"))
    match = re.fullmatch(
        r"([0-9]{1,3}|[a-z]{3})(?:-([0-9]{1,3}|[a-z]{3}))?(?:/([0-9]{1,3}))?", text
    )
    if match is None:
        return text
    numbers = [_NAMES[place].get(part, part) if part else None for part in match.groups()]
    if not all(str(number).isdecimal() for number in numbers if number is not None):
        return text
    first, last, step = (None if number is None else int(number) for number in numbers)
    assert first is not None  # noqa: S101 - the pattern demands it
    if last is None:
        if step:
            return f"{first}-{high}/{step}"
        return "0" if low == 0 and place < 2 and first == high + 1 else text
    if place < 2 and last == high + 1:
        last = high
    elif first <= last:
        return text
    if first <= last:
        return f"{first}-{last}" + (f"/{step}" if step else "")
    if step:
        around = [*range(first, high + 1), *range(low, last + 1)]
        return ",".join(map(str, around[::step]))
    if place == 4:
        low, high = 1, 7  # Sunday ends the week
    return _span(first, high) + ("," + _span(low, last) if last >= low else "")


def _span(first: int, last: int) -> str:
    return f"{first}-{last}" if first < last else str(first)
