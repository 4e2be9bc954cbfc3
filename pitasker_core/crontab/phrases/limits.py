"""The clauses that cron has no word for: once, at dusk, at boot, in another zone."""

from pitasker_core.crontab.phrases.outline import Cursor, Outline, Refused
from pitasker_core.crontab.phrases.vocabulary import Kind

_LONGEST_PLACE = 4


def read_boot(cursor: Cursor, outline: Outline) -> bool:
    """Read "at boot", "on system start", "when the machine starts"."""
    cursor.skip("at", "filler", "past", "every", "a")
    cursor.skip("system", "filler")
    if not cursor.word("boot") and not cursor.word("start"):
        return False
    cursor.skip("up", "of", "filler", "system")
    outline.boot = True
    return True


def read_once(cursor: Cursor, outline: Outline) -> bool:
    """Read "in 10 minutes", "tomorrow at 5", "next Friday"."""
    cursor.skip("filler")
    start = cursor.at
    if cursor.word("in"):
        count = 1 if cursor.word("a") else cursor.kind(Kind.NUMBER)
        unit = cursor.unit()
        if unit is None or count is None:
            return False
        outline.once = f"now + {count:g} {unit}{'s' if count != 1 else ''}"
        return True
    if cursor.word("tomorrow", "today", "once"):
        outline.once = cursor.tokens[cursor.at - 1].text
        return True
    if cursor.word("next") and cursor.peek().kind in (Kind.WEEKDAY, Kind.UNIT, Kind.MONTH):
        outline.once = f"next {cursor.take().text}"
        return True
    cursor.at = start
    return False


def refuse_daylight(cursor: Cursor, outline: Outline) -> bool:
    """Refuse what follows the sun or the calendar of feasts."""
    cursor.skip("at", "in", "filler", "past", "before", "every")
    if cursor.word("daylight"):
        raise Refused(
            "cron knows no sunrise and no sunset.",
            "Start the job at a fixed time before it and let a program such as sunwait wait: "
            "sunwait wait set 52.5N 13.4E && command",
        )
    if cursor.word("holiday"):
        raise Refused(
            "cron knows no holidays.",
            "Test in the command whether the date is in a list of your own: "
            'grep -qx "$(date +\\%F)" holidays.txt || command',
        )
    return False


def read_place(cursor: Cursor, outline: Outline) -> bool:
    """Read "in Tokyo", "New York time", "UTC", "Europe/Berlin"."""
    is_in = cursor.word("in")
    cursor.skip("filler")
    zone = cursor.kind(Kind.ZONE)
    names = [zone] if zone else []
    while not zone and cursor.peek().kind is Kind.UNKNOWN and len(names) < _LONGEST_PLACE:
        names.append(cursor.take().text)
    is_time = cursor.word("times")
    if not names or not (zone or is_in or is_time) or not all(map(_is_name, names)):
        return False
    outline.place = " ".join(names)
    return True


def _is_name(text: str) -> bool:
    return any(char.isalpha() for char in text)


def read_filler(cursor: Cursor, outline: Outline) -> bool:
    """Pass over words that say nothing of the schedule."""
    token = cursor.take()
    if token.kind is Kind.UNIT:
        return _is_unit_of_date(outline, token.value)
    if token.kind not in (Kind.WORD, Kind.SIGN):
        return False
    if token.value in ("and", "or", ","):
        cursor.conjunction = "," if token.value == "," else "and"
        return True
    return token.value in ("filler", "a", "of", "in", "only", ".", "up")


def _is_unit_of_date(outline: Outline, unit: str) -> bool:
    """Whether a unit belongs to the dates before it: "the 5th of the month"."""
    if unit == "week":
        return outline.periods == {"day"}  # "every day of the week"
    if unit == "month" and outline.weekdays:
        return True  # "every Monday of the month"
    has_dates = outline.days or outline.nths or outline.last_day or outline.working_day
    if unit == "day" or (has_dates and unit in ("month", "year")):
        outline.periods.add(unit)
        return True
    return False
