"""The clauses that say on which days something runs."""

from operator import methodcaller

from pitasker_core.crontab.phrases.outline import Cursor, Outline
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, ORDINAL_NAMES, WEEKDAYS, Kind

_weekday = methodcaller("kind", Kind.WEEKDAY)
_month = methodcaller("kind", Kind.MONTH)


def _ordinal(cursor: Cursor) -> int | None:
    token = cursor.peek()
    if token.kind is not Kind.ORDINAL or not 1 <= token.value <= 31:
        return None
    return int(cursor.take().value)


def _day(cursor: Cursor) -> int | None:
    """A day of the month, as "5" or "5th"."""
    token = cursor.peek()
    if token.kind is Kind.NUMBER and token.text.isdecimal() and 1 <= token.value <= 31:
        if cursor.peek(1).kind is Kind.UNIT or cursor.peek(1).value in ("past", "times"):
            return None
        return int(cursor.take().value)
    return _ordinal(cursor)


def _join(cursor: Cursor, outline: Outline, other: bool) -> None:
    """Say whether days and weekdays both count, when the second of them is named."""
    if not other or outline.both is not None:
        return
    if cursor.conjunction == "and":
        outline.both = False
    elif cursor.conjunction == ",":
        outline.both = outline.choose("on either of them", "only when both match") == 1
    else:
        outline.both = True


def _both_of(outline: Outline) -> bool:
    return bool(outline.weekdays or outline.nths)


def read_weekdays(cursor: Cursor, outline: Outline) -> bool:
    """Read "Mondays", "mon-fri", "Tuesday, Thursday and Saturday", "weekends"."""
    cursor.skip("of", "in")
    group = cursor.kind(Kind.WEEKDAYS)
    if cursor.words("working") and cursor.unit("day"):
        group = WEEKDAYS
    weekdays = set(group) if group else set(cursor.values(_weekday, 0, 6))
    if not weekdays:
        return False
    _join(cursor, outline, bool(outline.days))
    outline.add("weekdays", weekdays)
    return True


def read_nth_weekday(cursor: Cursor, outline: Outline) -> bool:
    """Read "first Monday of the month", "second and fourth Friday", "every second Tuesday"."""
    is_every = cursor.word("every")
    cursor.skip("filler")
    numbers = cursor.values(_ordinal, 1, 5)
    weekday = cursor.kind(Kind.WEEKDAY)
    if not numbers or max(numbers) > 5 or weekday is None:
        return False
    if is_every and len(numbers) == 1 and numbers[0] > 1 and not _month_follows(cursor):
        number = numbers[0]
        every = "every other week" if number == 2 else f"every {number} weeks"
        if outline.choose(f"the {ORDINAL_NAMES[number]} in each month", every):
            outline.stride = (number, "week")
            outline.add("weekdays", [weekday])
            return True
    weekdays = {weekday, *_more_weekdays(cursor)}
    outline.add("nths", [(number, day) for number in numbers for day in weekdays])
    return True


def _more_weekdays(cursor: Cursor) -> list[int]:
    start = cursor.at
    more = cursor.values(_weekday, 0, 6) if cursor.separator() else []
    if not more:
        cursor.at = start
    return more


def _month_follows(cursor: Cursor) -> bool:
    ahead = 0
    while cursor.peek(ahead).value in ("of", "in", "filler", "every", "a"):
        ahead += 1
    token = cursor.peek(ahead)
    return ahead > 0 and (token.kind is Kind.MONTH or token.value == "month")


def read_last(cursor: Cursor, outline: Outline) -> bool:
    """Read "last day of the month", "last Friday", "first working day of the month"."""
    cursor.skip("filler", "every")
    which = _ordinal(cursor) if cursor.peek().kind is Kind.ORDINAL else 0
    if which not in (0, 1) or (which == 0 and not cursor.word("last")):
        return False
    if cursor.word("working") and cursor.unit("day") is None:
        return False
    working = cursor.peek(-1).kind is Kind.UNIT or cursor.kind(Kind.WEEKDAYS) == WEEKDAYS
    if working:
        outline.working_day = 1 if which else -1
        return True
    if which:
        return False
    weekday = cursor.kind(Kind.WEEKDAY)
    if weekday is not None:
        outline.add("nths", [(-1, day) for day in (weekday, *_more_weekdays(cursor))])
        return True
    if cursor.unit("day", "month") or _month_follows(cursor):
        outline.last_day = True
        return True
    return False


def read_month_end(cursor: Cursor, outline: Outline) -> bool:
    """Read "end of the month", "month end", "start of the month"."""
    cursor.skip("filler")
    if cursor.peek().text in ("start", "beginning"):
        cursor.take()
        if not _month_follows(cursor):
            return False
        outline.add("days", [1])
        return True
    if cursor.peek().text == "end":
        cursor.take()
        cursor.skip("of", "filler", "every")
        if cursor.unit("month") is None and cursor.peek().kind is not Kind.MONTH:
            return False
    elif not (cursor.unit("month") and cursor.take().text == "end"):
        return False
    outline.last_day = True
    return True


def read_days(cursor: Cursor, outline: Outline) -> bool:
    """Read "1st and 15th of the month", "day 4", "the first week of the month"."""
    cursor.skip("filler")
    start = cursor.at
    if cursor.unit("day") or cursor.word("date"):
        cursor.skip("filler")
        days = cursor.values(_day, 1, 31)
    else:
        days = cursor.values(_ordinal, 1, 31)
        if days == [1] and cursor.unit("week"):
            days = list(range(1, 8))
        elif days and not cursor.unit("day"):
            cursor.word("date")
            if cursor.peek().kind is Kind.UNIT and cursor.peek().value != "month":
                return False
    if not days:
        cursor.at = start
        days = cursor.values(_day, 1, 31)
        if not days or not _month_follows(cursor):
            return False
    _join(cursor, outline, _both_of(outline))
    outline.add("days", days)
    return True


def read_parity(cursor: Cursor, outline: Outline) -> bool:
    """Read "odd days", "every even hour"."""
    cursor.skip("filler", "every", "at", "in")
    parity = {"even": 0, "odd": 1}.get(cursor.take().text)
    unit = cursor.unit("day", "hour", "minute")
    if parity is None or unit is None:
        return False
    if unit == "day":
        outline.add("days", range(2 - parity, 32, 2))
    elif unit == "hour":
        outline.hours += range(parity, 24, 2)
    else:
        outline.minutes += range(parity, 60, 2)
    return True


def read_months(cursor: Cursor, outline: Outline) -> bool:
    """Read "in January and July", "jun-aug", "December 25", "25 December"."""
    cursor.skip("in", "of", "filler")
    days = cursor.values(_day, 1, 31) if cursor.peek().kind is Kind.NUMBER else []
    if days:
        cursor.skip("of", "filler")
    months = cursor.values(_month, 1, 12)
    if not months:
        return False
    if not days:
        days = _days_behind_month(cursor)
    if cursor.peek().kind is Kind.NUMBER and cursor.peek().value >= 1970:
        outline.once = f"the year {cursor.take().value}"
    if days:
        _join(cursor, outline, _both_of(outline))
        outline.add("days", days)
    outline.add("months", months)
    return True


def _days_behind_month(cursor: Cursor) -> list[int]:
    start = cursor.at
    cursor.skip("filler")
    days = cursor.values(_day, 1, 31)
    if not days:
        cursor.at = start
    return days


def read_date(cursor: Cursor, outline: Outline) -> bool:
    """Read "25/12", "12/25" and "03/04", which is two dates."""
    value = cursor.kind(Kind.DATE)
    if value is None:
        return False
    first, second, year, day_first = value
    day, month = first, second
    if second > 12 and first <= 12 and not day_first:
        day, month = second, first
    elif first <= 12 and second <= 12 and first != second and not day_first:
        names = [f"{a} {MONTH_NAMES[b - 1]}" for a, b in ((first, second), (second, first))]
        if outline.choose(*names):
            day, month = second, first
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return False
    outline.add("days", [day])
    outline.add("months", [month])
    if year is not None:
        outline.once = f"the year {year}"
    return True


def read_exception(cursor: Cursor, outline: Outline) -> bool:
    """Read "except Sundays", "but not in August"."""
    but = cursor.word("but")
    if not cursor.word("except") and not (but and cursor.peek().value != "only"):
        return False
    cursor.skip("filler", "in", "every")
    outline.has_exception = True
    group = cursor.kind(Kind.WEEKDAYS)
    weekdays = set(group) if group else set(cursor.values(_weekday, 0, 6))
    if weekdays:
        outline.weekdays = (outline.weekdays or set(range(7))) - weekdays
        return bool(outline.weekdays)
    months = set(cursor.values(_month, 1, 12))
    if months:
        outline.months = (outline.months or set(range(1, 13))) - months
        return bool(outline.months)
    days = set(cursor.values(_ordinal, 1, 31))
    outline.days = (outline.days or set(range(1, 32))) - days
    return bool(days and outline.days)


def read_condition(cursor: Cursor, outline: Outline) -> bool:
    """Read "but only if it is a Monday"."""
    if not (cursor.words("but", "only") or cursor.words("only", "if") or cursor.word("if")):
        return False
    cursor.skip("if", "filler", "a", "in")
    outline.both = True
    return cursor.peek().kind in (Kind.WEEKDAY, Kind.WEEKDAYS, Kind.ORDINAL)
