"""The clauses that cron has no word for: once, at dusk, at boot, in another zone."""

from pitasker_core.crontab.phrases.draft import Cursor, Draft, Refused
from pitasker_core.crontab.phrases.reading import Kind as Answer
from pitasker_core.crontab.phrases.reading import Reading
from pitasker_core.crontab.phrases.vocabulary import Kind

_LONGEST_PLACE = 4


def read_boot(cursor: Cursor, draft: Draft) -> bool:
    """Read "at boot", "on system start", "when the machine starts"."""
    cursor.skip("at", "filler", "past", "every", "a")
    cursor.skip("system", "filler")
    if not cursor.word("boot") and not cursor.word("start"):
        return False
    cursor.skip("up", "of", "filler", "system")
    draft.boot = True
    return True


def read_once(cursor: Cursor, draft: Draft) -> bool:
    """Read "in 10 minutes", "tomorrow at 5", "next Friday"."""
    cursor.skip("filler")
    start = cursor.at
    if cursor.word("in"):
        count = 1 if cursor.word("a") else cursor.kind(Kind.NUMBER)
        unit = cursor.unit()
        if unit is None or count is None:
            return False
        draft.once = f"now + {count:g} {unit}{'s' if count != 1 else ''}"
        return True
    if cursor.word("tomorrow", "today", "once"):
        draft.once = cursor.tokens[cursor.at - 1].text
        return True
    if cursor.word("next") and cursor.peek().kind in (Kind.WEEKDAY, Kind.UNIT, Kind.MONTH):
        draft.once = f"next {cursor.take().text}"
        return True
    cursor.at = start
    return False


def refuse_daylight(cursor: Cursor, draft: Draft) -> bool:
    """Refuse what follows the sun or the calendar of feasts."""
    cursor.skip("at", "in", "filler", "past", "before", "every")
    if cursor.word("daylight"):
        raise Refused(
            Reading(
                Answer.UNKNOWN,
                reason="cron knows no sunrise and no sunset.",
                usual_way="Start the job at a fixed time before it and let a program such as "
                "sunwait wait: sunwait wait set 52.5N 13.4E && command",
            )
        )
    if cursor.word("holiday"):
        raise Refused(
            Reading(
                Answer.UNKNOWN,
                reason="cron knows no holidays.",
                usual_way="Test in the command whether the date is in a list of your own: "
                'grep -qx "$(date +\\%F)" holidays.txt || command',
            )
        )
    return False


def read_place(cursor: Cursor, draft: Draft) -> bool:
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
    draft.place = " ".join(names)
    return True


def _is_name(text: str) -> bool:
    return any(char.isalpha() for char in text)


def read_filler(cursor: Cursor, draft: Draft) -> bool:
    """Pass over words that say nothing of the schedule."""
    token = cursor.take()
    if token.kind not in (Kind.WORD, Kind.SIGN):
        return (
            token.kind is Kind.UNIT
            and token.value in ("day", "month", "year")
            and _add(draft, token.value)
        )
    if token.value in ("and", "or", ","):
        cursor.conjunction = "," if token.value == "," else "and"
        return True
    return token.value in ("filler", "a", "of", "in", "only", ".", "up")


def _add(draft: Draft, unit: str) -> bool:
    if draft.days or draft.nths or draft.last_day or draft.working_day or unit == "day":
        draft.periods.add(unit)
        return True
    return False
