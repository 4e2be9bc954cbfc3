"""The days of the next weeks on which a schedule has runs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from pitasker_core.base.text import counted
from pitasker_core.crontab.calendar import month_days
from pitasker_core.crontab.doctor.facts import ClockChange
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES
from pitasker_core.crontab.schedule import Schedule

SHOWN_DAYS = 31
_LISTED = 6
"""Days that the sentence lists by their dates."""


@dataclass(frozen=True)
class Calendar:
    """The month that begins today."""

    today: date
    days: frozenset[date]
    """The days on which there are still runs."""
    per_day: int
    """Runs on each of them, on a day without a change of the clock."""

    @property
    def end(self) -> date:
        """The day after the last."""
        return self.today + timedelta(days=SHOWN_DAYS)


def read_calendar(
    schedule: Schedule, today: date, first: date | None, changes: Iterable[ClockChange] = ()
) -> Calendar | None:
    """The days of the next month with runs; None for what has no days, such as `@reboot`.

    `first` is the day of the next run, if that is known: the runs of today may be over.
    """
    if schedule.reboot or schedule.never_runs:
        return None
    month = [today + timedelta(days=number) for number in range(SHOWN_DAYS)]
    names = {(day.year, day.month) for day in month}
    changes = list(changes)
    runs = {day for name in names for day in month_days(schedule, *name, changes)}
    days = frozenset(day for day in month if day in runs and day >= (first or today))
    return Calendar(today, days, len(schedule.hours) * len(schedule.minutes))


def sentence(calendar: Calendar) -> str:
    """The calendar in words: "Once a day on 2 of the next 31 days: 4 and 11 December."."""
    times = {1: "Once", 2: "Twice"}.get(calendar.per_day, f"{calendar.per_day} times")
    days = sorted(calendar.days)
    if not days:
        return f"No run in the next {SHOWN_DAYS} days."
    if len(days) == SHOWN_DAYS:
        return f"{times} a day, every day."
    names = f": {_dates(days)}" if len(days) <= _LISTED else ""
    return f"{times} a day on {counted(len(days), 'day')} of the next {SHOWN_DAYS}{names}."


def _dates(days: list[date]) -> str:
    names = [
        f"{day.day}"
        if following and following.month == day.month
        else f"{day.day} {MONTH_NAMES[day.month - 1]}"
        for day, following in zip(days, [*days[1:], None], strict=True)
    ]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def html(calendar: Calendar) -> str:
    """The calendar as a table. A day with runs has a colour, is bold, and says so."""
    monday = calendar.today - timedelta(days=calendar.today.weekday())
    weeks = -(-(calendar.end - monday).days // 7)
    names = (*WEEKDAY_NAMES[1:], WEEKDAY_NAMES[0])
    head = "".join(f'<th scope="col" abbr="{name}">{name[:3]}</th>' for name in names)
    body = ""
    for week in range(weeks):
        days = (monday + timedelta(days=7 * week + number) for number in range(7))
        body += f"<tr>{''.join(_cell(calendar, day) for day in days)}</tr>"
    return (
        f'{_STYLE}<table class="run-days"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _cell(calendar: Calendar, day: date) -> str:
    if not calendar.today <= day < calendar.end:
        return "<td></td>"
    is_named = day.day == 1 or day == calendar.today
    month = f"<small>{MONTH_NAMES[day.month - 1][:3]}</small>" if is_named else ""
    if day in calendar.days:
        return f'<td><b>{day.day}{month}<span class="said"> has runs</span></b></td>'
    return f"<td><span>{day.day}{month}</span></td>"


_STYLE = """<style>
.run-days {border-collapse: collapse; table-layout: fixed; width: 100%; max-width: 26rem;}
.run-days th {font-weight: 500; font-size: 0.8rem; opacity: 0.8; padding: 0 0 0.2rem;
    text-align: center;}
.run-days td {padding: 1px; text-align: center; font-size: 0.85rem;
    font-variant-numeric: tabular-nums;}
.run-days td > * {display: block; border-radius: 0.4rem; padding: 0.2rem 0; line-height: 1.3;
    position: relative;}
.run-days b {background: light-dark(#0f766e, #0f8277); color: #fff; font-weight: 600;}
.run-days small {font-size: 0.7rem; margin-left: 0.2rem;}
.run-days .said {position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%);}
</style>"""
