"""The clauses that say at which times of day something runs."""

from pitasker_core.crontab.phrases.outline import Clock, Cursor, Outline, Window
from pitasker_core.crontab.phrases.tokens import Token
from pitasker_core.crontab.phrases.vocabulary import WEEKDAYS, Kind


def _clock_item(cursor: Cursor, numbers: bool = True, relative: bool = False) -> Clock | None:
    """A time of day; a bare number, or one relative to the hour, only where one is expected."""
    start = cursor.at
    token = cursor.take()
    if token.kind is Kind.CLOCK:
        hour, minute, half = token.value
        return hour, minute, half
    cursor.at = start
    off = _relative_clock(cursor, relative)
    if off:
        return off
    cursor.at = start
    if token.kind is not Kind.NUMBER or token.value % 1:
        return None
    cursor.take()
    spelt_minutes = cursor.peek()
    if numbers and token.text.isalpha() and _is_spelt_minutes(token.value, spelt_minutes):
        return token.value, cursor.take().value, None
    is_clear = numbers or token.text[0] == "0" or cursor.peek().value == "hour"
    hour, minute = divmod(token.value, 100)
    if len(token.text) == 4 and is_clear and hour < 24 and minute < 60:
        cursor.unit("hour")
        return hour, minute, "24"
    if not numbers and cursor.peek().text != "o'clock" and not _part_follows(cursor):
        cursor.at = start
        return None
    if cursor.peek().kind is Kind.UNIT and not (
        cursor.peek().value == "hour" and cursor.peek().text in ("h", "hours", "hrs")
    ):
        return None
    if cursor.peek().kind is Kind.MONTH or cursor.peek().value == "times" or token.value > 24:
        return None
    spelt = cursor.unit("hour") or (len(token.text) == 2 and token.text[0] == "0")
    return token.value % 24, 0, "24" if spelt or token.value in (0, 24) else None


def _is_spelt_minutes(hour: int, following: Token) -> bool:
    """Whether "six" is followed by "thirty"."""
    is_number = following.kind is Kind.NUMBER and following.text.isalpha()
    return hour < 25 and is_number and 10 <= following.value < 60


def _part_follows(cursor: Cursor) -> bool:
    """Whether "in the morning" or the like is next."""
    ahead = 0
    while cursor.peek(ahead).value in ("in", "at", "filler"):
        ahead += 1
    return cursor.peek(ahead).kind is Kind.PART


def _relative_clock(cursor: Cursor, bare: bool) -> Clock | None:
    """A time such as "half past 9", "quarter to 5", "10 minutes past noon".

    `bare`: "10 to 5" is meant so too, and is no range.
    """
    minutes = _minutes_off(cursor)
    if minutes is None:
        return None
    is_to = cursor.peek().value == "to" and cursor.peek(-1).kind is Kind.NUMBER
    if is_to and not (bare and minutes in (5, 10, 20, 25)):
        return None
    before = cursor.word("to", "before")
    if not before and not cursor.word("past"):
        return None
    token = cursor.take()
    if token.kind is Kind.NUMBER and token.value in range(25):
        hour, half = token.value % 24, None
    elif token.kind is Kind.CLOCK and token.value[1] == 0:
        hour, _, half = token.value
    else:
        return None
    if before:
        hour = (hour or 24) - 1 if half != "24" or hour else 23
        minutes = 60 - minutes
    return hour, minutes, half


def _minutes_off(cursor: Cursor) -> int | None:
    """The minutes of "quarter past", "10 minutes to"."""
    if cursor.word("a") and cursor.peek().value != "quarter":
        return None
    if cursor.word("half"):
        return 30
    if cursor.unit("quarter"):
        return 15
    token = cursor.take()
    if token.kind is not Kind.NUMBER or token.value not in range(1, 60):
        return None
    cursor.unit("minute")
    return int(token.value)


def read_times(cursor: Cursor, outline: Outline) -> bool:
    """Read "at 9, 12 and 18:30", "3am", "at 9-17"."""
    at = cursor.word("at")
    cursor.skip("filler")
    first = _clock_item(cursor, numbers=at, relative=at)
    if first is None:
        return at and _is_filler_before(cursor)
    window = _window_to(cursor, first)
    if window:
        outline.windows.append(window)
        return True
    outline.times.append(first)
    while True:
        start = cursor.at
        following = _clock_item(cursor, relative=True) if cursor.separator() else None
        if following is None or _is_day(cursor, following):
            cursor.at = start
            return True
        outline.times.append(following)


def _is_day(cursor: Cursor, item: Clock) -> bool:
    """Whether the number just read belongs to a month behind it, as in "9am, 5 of May"."""
    return item[2] is None and cursor.peek().value == "of"


def _is_filler_before(cursor: Cursor) -> bool:
    """Whether "at" stands before a clause that says the time in another way."""
    token = cursor.peek()
    if token.kind in (Kind.MINUTE, Kind.PART, Kind.UNIT, Kind.NUMBER):
        return token.kind is not Kind.NUMBER or _minutes_off(Cursor([token])) is not None
    lemmas = ("every", "boot", "start", "system", "hour-top", "hour-bottom", "half", "a", "last")
    return token.value in lemmas


def _window_to(cursor: Cursor, first: Clock) -> Window | None:
    start = cursor.at
    if cursor.range_sign():
        cursor.skip("filler", "at")
        last = _clock_item(cursor)
        if last:
            cursor.between = False
            return Window(first, last)
    cursor.at = start
    return None


def read_window(cursor: Cursor, outline: Outline) -> bool:
    """Read "between 9 and 17", "from 8am to 6pm", "9-17", "after 18:00", "until noon"."""
    if cursor.word("between"):
        cursor.between = True
    elif not cursor.word("from"):
        return _read_open_window(cursor, outline)
    cursor.skip("filler", "at")
    kind = cursor.peek().kind
    if kind in (Kind.WEEKDAY, Kind.MONTH, Kind.ORDINAL):
        return True
    first = _clock_item(cursor)
    if first is None:
        return False
    window = _window_to(cursor, first)
    if window:
        outline.windows.append(window)
    elif cursor.between:
        return False
    else:
        outline.start = first
    return True


def _read_open_window(cursor: Cursor, outline: Outline) -> bool:
    if cursor.peek().kind is Kind.NUMBER:
        first = _clock_item(cursor)
        window = _window_to(cursor, first) if first else None
        if window:
            outline.windows.append(window)
        return window is not None
    lemma = cursor.peek().value
    if cursor.peek().kind is not Kind.WORD or not cursor.word("past", "before", "to"):
        return False
    item = _clock_item(cursor)
    if item is None:
        return False
    if lemma == "past":
        outline.windows.append(Window(item, (23, 59, "24")))
    else:
        outline.windows.append(
            Window((0, 0, "24"), _minute_before(item) if lemma == "before" else item)
        )
    return True


def _minute_before(item: Clock) -> Clock:
    hour, minute, half = item
    return (hour, minute - 1, half) if minute else ((hour - 1) % 24, 59, half)


def read_working_hours(cursor: Cursor, outline: Outline) -> bool:
    """Read "during business hours"."""
    cursor.skip("during", "in", "filler")
    if not cursor.word("working") or not cursor.unit("hour"):
        return False
    outline.windows.append(Window((9, 0, "24"), (17, 0, "24")))
    if not outline.weekdays:
        outline.weekdays |= WEEKDAYS
    outline.note("Working hours are taken as 09:00 to 17:00, Monday to Friday.")
    return True


def read_minutes(cursor: Cursor, outline: Outline) -> bool:
    """Read "at minutes 5 and 35", "10 minutes past the hour", ":15", "on the half hour"."""
    cursor.skip("at", "filler", "past", "a")
    if cursor.peek().kind is Kind.MINUTE:
        minutes = cursor.values(lambda c: c.kind(Kind.MINUTE), 0, 59)
    elif cursor.unit("minute"):
        minutes = cursor.values(_number, 0, 59)
        cursor.skip("of", "past", "filler")
    elif cursor.peek(-2).text == "on" and cursor.unit("hour"):
        minutes = [0]
    elif cursor.word("hour-top", "hour-bottom"):
        minutes = [0 if cursor.tokens[cursor.at - 1].value == "hour-top" else 30]
        cursor.skip("of", "filler", "every")
        if not cursor.unit("hour"):
            return False
    elif cursor.word("half") and cursor.unit("hour"):
        minutes = [30]
    else:
        return _read_minutes_past(cursor, outline)
    if not minutes or max(minutes) > 59:
        return False
    outline.minutes += minutes
    return True


def _read_minutes_past(cursor: Cursor, outline: Outline) -> bool:
    if cursor.peek(-1).value == "half":
        cursor.at -= 1
    values: list[int] = []
    while True:
        start = cursor.at
        if values and not cursor.separator():
            break
        minutes = _minutes_off(cursor)
        if minutes is None:
            cursor.at = start
            break
        values.append(minutes)
    before = cursor.word("before", "to")
    if not values or not (before or cursor.word("past")):
        return False
    cursor.skip("filler")
    if cursor.peek().kind in (Kind.CLOCK, Kind.NUMBER) or cursor.unit("minute", "day"):
        return False
    outline.minutes += [60 - minute for minute in values] if before else values
    return True


def _number(cursor: Cursor) -> int | None:
    token = cursor.peek()
    is_day = cursor.peek(1).kind is Kind.MONTH
    if (
        token.kind is Kind.NUMBER
        and isinstance(token.value, int)
        and token.value < 100
        and not is_day
    ):
        cursor.at += 1
        return token.value
    return None


def read_hours(cursor: Cursor, outline: Outline) -> bool:
    """Read "of the hours 8 to 11 and 14", "of every hour", "past the hour"."""
    cursor.skip("of", "past", "filler", "in", "during", "at")
    if not cursor.unit("hour"):
        return False
    hours = cursor.values(_number, 0, 23)
    if not hours:
        every_hour = bool(outline.minutes or outline.minute_step)
        if outline.minutes:
            outline.hour_step = outline.hour_step or 1
        return every_hour
    if max(hours) > 24:
        return False
    outline.hours += [hour % 24 for hour in hours]
    return True


def read_part_of_day(cursor: Cursor, outline: Outline) -> bool:
    """Read "in the morning", "at night", "every evening"."""
    cursor.skip("in", "at", "filler", "during")
    part = cursor.kind(Kind.PART)
    if part is None:
        return False
    outline.periods.add("day")
    if not any(half is None for _, _, half in outline.times):
        outline.part = part
        return True
    outline.times = [
        (hour, minute, half or half_by_part(hour, part) or "24")
        for hour, minute, half in outline.times
    ]
    return True


def half_by_part(hour: int, part: str | None) -> str | None:
    """The half of the day that an hour from 1 to 12 has in the evening, and so on."""
    is_afternoon = (
        (part == "afternoon" and hour < 12)
        or (part == "evening" and 3 < hour < 12)
        or (part == "night" and 5 < hour < 12)
    )
    if is_afternoon:
        return "pm"
    return "am" if part == "night" and hour == 12 else None
