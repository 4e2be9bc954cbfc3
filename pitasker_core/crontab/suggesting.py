"""Guesses at the schedule that a text means: words, schedules of other programs, slips of the pen.

Text only: `schedule.py` decides what is valid and what it means.
"""

import re
from collections.abc import Iterator

from pitasker_core.crontab import phrases
from pitasker_core.crontab.describing import MONTHS, WEEKDAYS
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES, correct

_LOW = (0, 0, 1, 1, 0)
_HIGH = (59, 23, 31, 12, 6)
_NAMES: tuple[dict[str, int], ...] = ({}, {}, {}, MONTHS, WEEKDAYS)


def guesses(text: str) -> Iterator[str]:
    """What `text` may be meant to say, best first. Not all need be valid schedules."""
    text = " ".join(text.split())
    yield text
    text = text.lower().replace("–", "-")
    yield text
    reading = phrases.read(text)
    if reading.schedule and not reading.place:
        yield reading.schedule
    yield from _from_fields(text)


def _short(word: str, names: tuple[str, ...]) -> str:
    """The three letters of a name that is written out, cut short or nearly right, else ""."""
    lower = [name.lower() for name in names]
    full = next((name for name in lower if name.startswith(word)), None)
    shorts = tuple(name[:3] for name in lower)
    return (full or correct(word, (*lower, *shorts)) or "")[:3]


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
    if text in ("?", "**", "*/0"):
        return "*"
    if place > 2:
        names = MONTH_NAMES if place == 3 else WEEKDAY_NAMES
        text = re.sub("[a-z]{4,16}", lambda word: _short(word[0], names) or word[0], text)
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
    meant = _number(first, step, place) if last is None else _range(first, last, step, place)
    return meant or text


def _number(first: int, step: int | None, place: int) -> str | None:
    """What a number was probably meant as; None if it means what it says."""
    high = _HIGH[place]
    if step:
        return f"{first}-{high}/{step}"
    return "0" if place < 2 and first == high + 1 else None


def _range(first: int, last: int, step: int | None, place: int) -> str | None:
    """What a range was probably meant as; None if it means what it says."""
    low, high = _LOW[place], _HIGH[place]
    if place < 2 and last == high + 1:
        last = high
    elif first <= last:
        return None
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
