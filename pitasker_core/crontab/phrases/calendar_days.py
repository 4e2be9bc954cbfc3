"""The dates of an outline: days, months and weekdays, and what cron cannot say of them."""

from dataclasses import dataclass

from pitasker_core.crontab.phrases.fields import can_match_both
from pitasker_core.crontab.phrases.outline import Outline, Refused
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, ORDINAL_NAMES, WEEKDAY_NAMES

_LENGTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
_WITH_OTHERS = "cron cannot say that together with other days."
_MOST_DAYS = 15  # a longer interval is not near to a step of days
_DAY_NUMBER = '$(( $(date -ud "$(date +\\%F)" +\\%s) / 86400'
"""The number of today since 1970, whatever the zone and the time."""
_BY_WEEK = {1: (0,), 2: (1, 4), 3: (1, 3, 5), 4: (1, 2, 4, 5), 5: (1, 2, 3, 4, 5)}
_BY_MONTH = {2: (1, 15), 3: (1, 11, 21), 4: (1, 8, 15, 22)}


@dataclass
class Dates:
    """Values of the three fields of dates, each None for any."""

    days: set[int] | None = None
    months: set[int] | None = None
    weekdays: set[int] | None = None
    both: bool = False
    reason: str = ""
    """Why they are only the nearest."""
    test: str = ""
    """The test in the command that makes them exact; it ends other days without a failure."""


def dates_of(outline: Outline) -> Dates:
    """The dates of an outline. Raises Refused."""
    _apply_rate(outline)
    dates = Dates(
        outline.days or None, outline.months or None, outline.weekdays or None, bool(outline.both)
    )
    if outline.stride:
        _apply_stride(outline, dates, *outline.stride)
    if (outline.working_day or outline.last_day) and (dates.days or dates.weekdays):
        raise Refused(_WITH_OTHERS)
    if outline.nths:
        _apply_nths(outline, dates)
    elif outline.working_day:
        _apply_working_day(outline, dates)
    elif outline.last_day:
        _apply_last_day(dates)
    elif dates.days and dates.weekdays and dates.both:
        _want_both(dates)
    _fill_in(outline, dates)
    return dates


def _apply_rate(outline: Outline) -> None:
    if not outline.rate or outline.rate[1] in ("hour", "day"):
        return
    count, unit = outline.rate
    name, spread = {
        "week": ("weekdays", _BY_WEEK.get(count)),
        "month": ("days", _BY_MONTH.get(count)),
        "year": ("months", range(1, 13, 12 // count) if 12 % count == 0 else None),
    }.get(unit, ("days", None))
    if spread is None:
        raise Refused(f"{count} times a {unit} is no regular schedule.")
    values: set[int] = getattr(outline, name)
    if not values:
        values.update(spread)
        outline.note("The days were not said: they are spread evenly.")
    if len(values) != count:
        raise Refused(f"The text says {count} times a {unit}, and names {len(values)}.")
    if unit == "year" and not outline.weekdays:
        outline.periods.add("month")


def _apply_stride(outline: Outline, dates: Dates, count: int, unit: str) -> None:
    if unit == "month" and 12 % count == 0:
        dates.months = dates.months or set(range(1, 13, count))
        outline.periods.add("month")
        return
    if unit == "day":
        if dates.days or dates.weekdays:
            raise Refused(_WITH_OTHERS)
        dates.days = set(range(1, 32, count)) if count <= _MOST_DAYS else None
        outline.periods.add("day")
        dates.reason = (
            f"cron counts days from the 1st of each month: not always {count} days apart."
        )
        dates.test = f"[ {_DAY_NUMBER} \\% {count} )) -eq 0 ] || exit 0; "
    elif unit == "week":
        outline.periods.add("week")
        dates.reason = f"cron does not count weeks, so it cannot skip {_skipped(count, 'week')}."
        dates.test = f"[ {_DAY_NUMBER} / 7 \\% {count} )) -eq 0 ] || exit 0; "
    elif unit == "month":
        outline.periods.add("month")
        dates.reason = (
            f"{count} months do not divide the year, and cron counts each year from January."
        )
        dates.test = (
            f"[ $(( ($(date +\\%Y) * 12 + $(date +\\%-m) - 1) \\% {count} )) -eq 0 ] || exit 0; "
        )
    else:
        outline.periods.add("year")
        dates.reason = f"cron does not count years, so it cannot skip {_skipped(count, 'year')}."
        dates.test = f"[ $(( $(date +\\%Y) \\% {count} )) -eq 0 ] || exit 0; "


def _skipped(count: int, unit: str) -> str:
    return f"every other {unit}" if count == 2 else f"{count - 1} {unit}s"


def _apply_nths(outline: Outline, dates: Dates) -> None:
    numbers = {number for number, _ in outline.nths}
    weekdays = {weekday for _, weekday in outline.nths}
    if len(outline.nths) != len(numbers) * len(weekdays) or dates.days or dates.weekdays:
        raise Refused(_WITH_OTHERS)
    days = {
        day for number in numbers - {-1} for day in range(7 * number - 6, min(7 * number, 31) + 1)
    }
    dates.weekdays = weekdays
    names = " or ".join(ORDINAL_NAMES[number] for number in sorted(numbers, key=lambda n: n % 9))
    if -1 not in numbers and can_match_both(days, weekdays):
        dates.days, dates.both = days, True
        outline.note(
            "One of the two fields begins with *, so for Debian's cron and cronie the day of month "
            "and the day of week must both match."
        )
        return
    listed = " and ".join(WEEKDAY_NAMES[weekday] for weekday in sorted(weekdays))
    dates.reason = f"cron does not know which {listed} of the month is the {names}."
    tests = [_nth_test(number) for number in sorted(numbers)]
    dates.test = " || ".join(tests) + " || exit 0; "


def _nth_test(number: int) -> str:
    if number == -1:
        return '[ "$(date -d "7 days" +\\%m)" != "$(date +\\%m)" ]'
    return f"[ $(( ($(date +\\%-d) + 6) / 7 )) -eq {number} ]"


def _apply_working_day(outline: Outline, dates: Dates) -> None:
    first = outline.working_day == 1
    which = "first" if first else "last"
    dates.weekdays = {1, 2, 3, 4, 5}
    dates.reason = f"cron does not know which day is the {which} from Monday to Friday of a month."
    if first:
        dates.test = (
            '[ "$(date +\\%-d)" -eq 1 ] || '
            '{ [ "$(date +\\%u)" -eq 1 ] && [ "$(date +\\%-d)" -le 3 ]; } || exit 0; '
        )
    else:
        dates.test = (
            '[ "$(date -d tomorrow +\\%d)" = 01 ] || '
            '{ [ "$(date +\\%u)" -eq 5 ] && [ "$(date -d "3 days" +\\%-d)" -le 3 ]; } || exit 0; '
        )


def _apply_last_day(dates: Dates) -> None:
    months = dates.months or set(range(1, 13))
    lengths = {_LENGTHS.get(month, 31) for month in months}
    if lengths == {31} or lengths == {30}:
        dates.days = lengths
        return
    dates.days = set(range(28 if 29 in lengths else 30, max(lengths) + 1))
    dates.reason = "Months differ in length, and cron has no word for the last day."
    dates.test = '[ "$(date -d tomorrow +\\%d)" = 01 ] || exit 0; '


def _want_both(dates: Dates) -> None:
    days, weekdays = dates.days or set(), dates.weekdays or set()
    if can_match_both(days, weekdays):
        return
    dates.reason = (
        "With both fields, cron runs when either of them matches: on each such day of the month "
        "and on each such weekday."
    )
    numbers = "".join(str(day or 7) for day in sorted(weekdays))
    dates.test = f'date +\\%u | grep -q "[{numbers}]" || exit 0; '
    dates.weekdays = None


def _fill_in(outline: Outline, dates: Dates) -> None:
    """What a week, a month or a year means where no day is named: as cron's nicknames have it."""
    has_day = bool(dates.days or dates.weekdays)
    is_monthly = "month" in outline.periods or ("year" in outline.periods and not dates.months)
    if is_monthly and dates.weekdays and not dates.days and not outline.nths and not dates.test:
        raise Refused("Which of these days in the month? Say, for instance, the first Monday.")
    if "week" in outline.periods and dates.days and not dates.weekdays:
        raise Refused("A day of the month does not come every week.")
    if not has_day and "week" in outline.periods:
        dates.weekdays = {0}
        outline.note("The day was not said: Sunday, as for @weekly.")
    elif not has_day and "day" not in outline.periods and outline.periods & {"month", "year"}:
        dates.days = {1}
        outline.note("The day was not said: the 1st.")
    if "year" in outline.periods and not dates.months:
        dates.months = {1}
        outline.note("The month was not said: January.")
    impossible = dates.days and dates.months and not _comes(dates.days, dates.months)
    if impossible and not (dates.weekdays and not dates.both):
        names = " or ".join(
            f"{min(dates.days or {0})} {MONTH_NAMES[m - 1]}" for m in sorted(dates.months or ())
        )
        raise Refused(f"{names} never comes.")


def _comes(days: set[int], months: set[int]) -> bool:
    return any(min(days) <= _LENGTHS.get(month, 31) for month in months)
