"""The clauses that say how often something runs."""

from pitasker_core.crontab.phrases.outline import Cursor, Outline, Refused
from pitasker_core.crontab.phrases.vocabulary import Kind

_RATES = {"once": 1, "twice": 2, "thrice": 3}
_TWICE_OR_HALF = {
    "biweekly": ("week", (2, "week"), "every two weeks"),
    "bimonthly": ("month", (2, "month"), "every two months"),
}


def read_every(cursor: Cursor, outline: Outline) -> bool:
    """Read "every 15 minutes", "every other hour", "every 3rd day", "every half hour"."""
    if not cursor.word("every"):
        return False
    cursor.skip("filler", "a", "and", "every")
    count = _count(cursor)
    unit = _unit(cursor)
    if unit is None:
        return _every_without_unit(cursor, outline, count)
    if unit == "hour" and cursor.words("and", "a", "half"):
        count += 0.5
    _add_interval(outline, count, unit)
    return True


def read_bare_interval(cursor: Cursor, outline: Outline) -> bool:
    """Read "15 minutes", if that is all."""
    count, unit = cursor.kind(Kind.NUMBER), cursor.unit()
    if count is None or unit is None or cursor.at != len(cursor.tokens) or len(cursor.tokens) > 2:
        return False
    outline.note("The interval is taken as “every”.")
    _add_interval(outline, count, unit)
    return True


def _count(cursor: Cursor) -> float:
    """The number before a unit: 2 of "other", 3 of "3rd"; 1 if there is none."""
    if cursor.word("other"):
        return 2
    token, following = cursor.peek(), cursor.peek(1)
    if token.kind is Kind.ORDINAL:
        # "Every 3rd day of the month" is a date, as is "every 3rd".
        is_date = following.kind is not Kind.UNIT or cursor.peek(2).value in ("of", "in")
        if is_date:
            return 1
    elif token.kind is not Kind.NUMBER:
        return 1
    count: float = cursor.take().value
    return count + 0.5 if cursor.words("and", "a", "half") else count


def _unit(cursor: Cursor) -> str | None:
    """A unit; also "half an hour" and "quarter of an hour", as units of their own."""
    start = cursor.at
    if cursor.word("half"):
        cursor.skip("of", "a")
        unit = cursor.unit("hour", "day", "year")
        if unit:
            return f"half-{unit}"
        cursor.at = start
    if cursor.unit("quarter"):
        behind = cursor.at
        cursor.skip("of", "a", "filler")
        if cursor.unit("hour"):
            return "quarter-hour"
        cursor.at = behind
        return "quarter"
    return cursor.unit()


def _every_without_unit(cursor: Cursor, outline: Outline, count: float) -> bool:
    if cursor.peek().kind in (Kind.WEEKDAY, Kind.WEEKDAYS) and count > 1:
        outline.stride = (int(count), "week")
    elif cursor.tokens[cursor.at - 1].kind is Kind.NUMBER:
        if cursor.peek().kind is Kind.MONTH:
            cursor.at -= 1
        elif cursor.tokens[cursor.at - 1].text.isdecimal():
            outline.note(f"No unit was given: {count:g} minutes.")
            _add_interval(outline, count, "minute")
    return True


_UNITS = {
    "half-hour": (30, "minute"),
    "half-day": (12, "hour"),
    "half-year": (6, "month"),
    "quarter-hour": (15, "minute"),
    "quarter": (3, "month"),
}
_WHOLES = (
    ("second", 60, "minute"),
    ("minute", 60, "hour"),
    ("hour", 24, "day"),
    ("day", 7, "week"),
    ("month", 12, "year"),
)


def _add_interval(outline: Outline, count: float, unit: str) -> None:
    """Take "every `count` `unit`s" into the outline, by its largest unit."""
    count, unit = _in_largest_unit(count, unit)
    if count <= 0 or count % 1:
        raise Refused(f"{count:g} {unit}s are no interval for cron.")
    if unit in ("second", "minute", "hour"):
        name = f"{unit}_step"
        if getattr(outline, name) not in (None, count):
            raise Refused("The text names two intervals.")
        setattr(outline, name, count)
    elif count == 1:
        outline.periods.add(unit)
    else:
        outline.stride = (int(count), unit)


def _in_largest_unit(count: float, unit: str) -> tuple[float, str]:
    """120 minutes as 2 hours, 1.5 hours as 90 minutes."""
    if unit in _UNITS:
        factor, unit = _UNITS[unit]
        count *= factor
    if unit == "day" and count % 1:
        count, unit = count * 24, "hour"
    if unit == "hour" and count % 1:
        count, unit = count * 60, "minute"
    for small, size, large in _WHOLES:
        if unit == small and count and count % size == 0:
            count, unit = count // size, large
    return count, unit


def read_period(cursor: Cursor, outline: Outline) -> bool:
    """Read "daily", "hourly", "biweekly"."""
    value = cursor.kind(Kind.PERIOD)
    if value:
        _add_interval(outline, *value)
        return True
    for word, (unit, stride, meaning) in _TWICE_OR_HALF.items():
        if cursor.word(word):
            if outline.choose(meaning, f"twice a {unit}"):
                outline.rate = (2, unit)
            else:
                outline.stride = stride
            return True
    if cursor.word("semimonthly"):
        outline.rate = (2, "month")
    elif cursor.word("biannually"):
        outline.rate = (2, "year")
    else:
        return False
    return True


def read_rate(cursor: Cursor, outline: Outline) -> bool:
    """Read "twice a day", "4 times per hour"."""
    token = cursor.take()
    if token.kind is Kind.WORD and token.value in _RATES:
        count = _RATES[token.value]
    elif token.kind is Kind.NUMBER and cursor.word("times") and token.value % 1 == 0:
        count = token.value
    else:
        return False
    start = cursor.at
    cursor.skip("every", "a", "filler", "in")
    period: tuple[int, str] = cursor.kind(Kind.PERIOD) or (1, cursor.unit() or "")
    if not period[1]:
        cursor.at = start
        is_clause = token.value == "once" and cursor.word("every")
        cursor.at -= is_clause  # "every" begins the next one
        return is_clause
    if count == 1:
        _add_interval(outline, *period)
    elif period[0] == 1 and count:
        outline.rate = (count, period[1])
    else:
        return False
    return True
