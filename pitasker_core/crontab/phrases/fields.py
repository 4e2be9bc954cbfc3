"""Schedules of sets of values: the plainest five fields that select exactly them."""

from collections.abc import Collection

from pitasker_core.crontab.series import distance, spans

Values = Collection[int]

_LISTED = 4  # so many values are plainer as a list than as a range with a step
_MINUTES, _HOURS, _DAYS, _MONTHS = (0, 59), (0, 23), (1, 31), (1, 12)


def schedule_of(
    minutes: Values,
    hours: Values,
    days: Values | None = None,
    months: Values | None = None,
    weekdays: Values | None = None,
    both: bool = False,
) -> str:
    """The five fields; None for any day, month or weekday.

    `both`: day of month and weekday must match, which cron does only if one of the fields begins
    with a star. Raises ValueError where no such field selects the values.
    """
    day_text = _field(days, *_DAYS, star=weekdays is None)
    weekday_text = _weekdays(weekdays)
    if days is not None and weekdays is not None and both:
        if 0 in weekdays:
            weekday_text = _starred(_weekdays([day for day in weekdays if day]), 7)
        elif 1 in days:
            rest = [day for day in days if day != 1]
            day_text = _starred(_field(rest, *_DAYS, star=False), 31)
        else:
            raise ValueError("neither field can begin with a star")
    fields = (
        _field(minutes, *_MINUTES),
        _field(hours, *_HOURS),
        day_text,
        _field(months, *_MONTHS),
        weekday_text,
    )
    return " ".join(fields)


def can_match_both(days: Values, weekdays: Values) -> bool:
    """Whether cron can be made to want both the day of month and the weekday."""
    return 0 in weekdays or 1 in days


def _starred(rest: str, step: int) -> str:
    """A field that begins with a star and selects the first value and the rest."""
    return f"*/{step},{rest}" if rest else f"*/{step}"


def _weekdays(values: Values | None) -> str:
    if values is None or len(set(values)) == 7:
        return "*"
    if list(values) == [0]:
        return "0"
    # Monday comes first, so that a weekend is one range.
    return _field([value or 7 for value in values], 1, 7, star=False)


def _field(values: Values | None, low: int, high: int, star: bool = True) -> str:
    if values is None:
        return "*"
    chosen = sorted(set(values))
    if star and len(chosen) == high - low + 1:
        return "*"
    step = distance(chosen)
    if step > 1 and len(chosen) > 2:
        if chosen[0] == low and chosen[-1] + step > high:
            return f"*/{step}" if star else f"{low}-{high}/{step}"
        if len(chosen) > _LISTED:
            return f"{chosen[0]}-{chosen[-1]}/{step}"
    if chosen == [0, 30] and high == 59:
        return "*/30"
    ends = spans(chosen)
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)
