"""Cron's schedules as systemd's calendar events (systemd.time(7)). Pure."""

from pitasker_core.crontab.schedule import Schedule
from pitasker_core.crontab.series import spans

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")

Values = tuple[int, ...]


def calendar_events(schedule: Schedule) -> list[str]:
    """The values of `OnCalendar=` that select the times of a schedule; none for `@reboot`.

    A weekday and a date in one event must both match. Where cron asks for one of the two, there are
    two events: systemd adds up those of a timer, and starts it once for a time that both select.
    """
    if schedule.reboot or schedule.never_runs:
        return []
    clock = f"{_numbers(schedule.hours, 0, 23)}:{_numbers(schedule.minutes, 0, 59)}:00"
    months = _numbers(schedule.months, 1, 12)
    days = f"*-{months}-{_numbers(schedule.days, 1, 31)} {clock}"
    weekdays = _weekday_names(schedule.weekdays)
    every_day, every_weekday = len(schedule.days) == 31, len(schedule.weekdays) == 7
    if schedule.both_must_match:
        return [f"{weekdays} {days}" if weekdays else days]
    if every_day or every_weekday:
        return [f"*-{months}-* {clock}"]
    by_date = [days] if schedule.days else []
    by_weekday = [f"{weekdays} *-{months}-* {clock}"] if schedule.weekdays else []
    return by_date + by_weekday


def _numbers(values: Values, low: int, high: int) -> str:
    """The values of one place: `*` for all, else ranges and numbers."""
    if len(values) == high - low + 1:
        return "*"
    return ",".join(
        f"{first:02}" if first == last else f"{first:02}..{last:02}"
        for first, last in spans(values)
    )


def _weekday_names(values: Values) -> str:
    return "" if len(values) == 7 else ",".join(_WEEKDAYS[value] for value in values)
