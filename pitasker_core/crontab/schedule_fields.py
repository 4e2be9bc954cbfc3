"""The grammar of one field of a schedule, as cron reads it. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple

from pitasker_core.crontab import describing


class FieldError(ValueError):
    """A text that cron refuses as a field. `field` is the name of the field."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class FieldValues(NamedTuple):
    """The values that a field selects, sorted."""

    values: tuple[int, ...]
    random: bool
    """Whether cronie draws one of the values."""
    warnings: tuple[str, ...]


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: dict[str, int]
    values: str


FIELDS = (
    _Field("minute", 0, 59, {}, "0 to 59"),
    _Field("hour", 0, 23, {}, "0 to 23"),
    _Field("day of month", 1, 31, {}, "1 to 31"),
    _Field("month", 1, 12, describing.MONTHS, "1 to 12 or jan to dec"),
    # `sun` is 0, also at the end of a range: `sat-sun` runs backward.
    _Field("day of week", 0, 7, describing.WEEKDAYS, "0 to 7 or sun to sat"),
)

_TOO_LONG = 1000  # letters and digits in a number or name: cron's buffer
_TOO_LARGE = 2**31 - 60  # from here a number, or a value plus a step, wraps in cron's `int`


def _element_pattern(signs: str) -> re.Pattern[str]:
    # cron collects letters and digits before it interprets them. So `5x` is one bad number, and
    # `5#x` is 5 and then junk. Each part may be empty, and that is an error of its own.
    return re.compile(
        rf"(?:\*|(?P<first>[0-9A-Za-z]*)(?:(?P<sign>{signs})(?P<last>[0-9A-Za-z]*))?)"
        r"(?:/(?P<step>[0-9A-Za-z]*))?"
    )


_DEBIAN_ELEMENT, _CRONIE_ELEMENT = _element_pattern("-"), _element_pattern("[-~]")


@lru_cache(maxsize=4096)
def read_field(text: str, place: int, *, is_cronie: bool) -> FieldValues:
    """Read the field at a place (0 is the minute): elements with commas between them.

    Raises FieldError.
    """
    field = FIELDS[place]
    pattern = _CRONIE_ELEMENT if is_cronie else _DEBIAN_ELEMENT
    values: set[int] = set()
    warnings = []
    random = False
    at = 0
    while at <= len(text):
        element = pattern.match(text, at)
        assert element is not None  # noqa: S101 - every part of the pattern may be empty
        try:
            selected, warning = _read_element(element, field, is_cronie=is_cronie)
        except ValueError as problem:
            message = str(problem) or _explain_element(text[at:].split(",")[0], field)
            raise FieldError(message, field.name) from None
        values.update(selected)
        random = random or element["sign"] == "~"
        if warning:
            warnings.append(f"{field.name}: {warning}")
        at = element.end()
        if at < len(text) and text[at] != ",":
            # Debian's cron silently ignores the rest of the field. cronie refuses it.
            junk = f"{text[at:]!r} after {element[0]!r}"
            if is_cronie:
                raise FieldError(f"{field.name} cannot have {junk}", field.name)
            warnings.append(f"{field.name}: cron ignores {junk}")
            break
        at += 1
    if place == 4:
        values = {value % 7 for value in values}  # 7 is Sunday as well
    return FieldValues(tuple(sorted(values)), random, tuple(warnings))


def _explain_element(text: str, field: _Field) -> str:
    if text:
        return f"{field.name} must be {field.values}, not {text!r}"
    return f"{field.name}: a value is missing next to a comma"


def _read_element(element: re.Match[str], field: _Field, *, is_cronie: bool) -> tuple[range, str]:
    """Return the values of an element, and a warning or "".

    Raises ValueError, with or without a message.
    """
    read_bounds = _read_random if element["sign"] == "~" else _read_range
    first, last = read_bounds(element, field)
    step = _read_step(element, field, first)
    is_week_end = field.high == 7 and element["sign"] == "-" and last == 0 < first
    if is_cronie and is_week_end and element["step"] is None:
        last = 7  # cronie reads Sunday at the end of a range as 7, unless a step follows
    selected = range(first, last + 1, step)
    if first > last:
        return selected, f"the range {element[0]!r} runs backward and selects nothing"
    if step > last - first + 1:
        return selected, f"the step of {element[0]!r} is so large that it selects only {first}"
    return selected, ""


def _read_random(element: re.Match[str], field: _Field) -> tuple[int, int]:
    """Read the bounds of cronie's `~`. Either bound may be missing, and no step may follow."""
    first = _read_number(element["first"], field) if element["first"] else field.low
    last = _read_number(element["last"], field) if element["last"] else field.high
    if element["step"] is not None or first > last:
        raise ValueError
    return first, last


def _read_range(element: re.Match[str], field: _Field) -> tuple[int, int]:
    if element["first"] is None:
        return field.low, field.high
    first = _read_number(element["first"], field)
    if element["sign"]:
        return first, _read_number(element["last"], field)
    if element["step"] is not None:
        raise ValueError(f"{field.name}: a step needs * or a range before it")
    return first, first


def _read_step(element: re.Match[str], field: _Field, first: int) -> int:
    if element["step"] is None:
        return 1
    step = _read_digits(element["step"])
    if step == 0:
        raise ValueError(f"{field.name}: a step cannot be 0")
    if first + step >= _TOO_LARGE:
        raise ValueError(f"{field.name}: a step cannot be that large")
    return step


def _read_number(text: str, field: _Field) -> int:
    number = field.names.get(text.lower())
    if number is None:
        number = _read_digits(text)
    if not field.low <= number <= field.high:
        raise ValueError(f"{field.name} must be {field.values}")
    return number


def _read_digits(text: str) -> int:
    if not text.isdigit() or len(text) >= _TOO_LONG:
        raise ValueError
    return int(text)
