"""Minutes in which many tasks start at once, and new schedules that spread them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from zoneinfo import ZoneInfo

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import Clock, next_runs
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule
from pitasker_core.dashboard.staging import Staged, Staging
from pitasker_core.dashboard.timeline import Planned
from pitasker_core.tasks import Task

CROWDED = 3
"""A minute with this many starts is crowded."""

_MOST_RUNS = 48
"""Tasks with more runs per day are left out: they would be in every crowd."""

_STEP = 10
"""Minutes between two spread tasks."""


@dataclass(frozen=True)
class Crowd:
    """Tasks that start in the same minute."""

    at: datetime
    tasks: tuple[Task, ...]


def crowds(
    in_force: Mapping[int, Planned],
    tasks: Iterable[Task],
    now: datetime,
    end: datetime,
    zone: ZoneInfo,
    dialect: Dialect,
) -> list[Crowd]:
    """Return the first crowd of each set of tasks, soonest first.

    `in_force` maps the id of each task to its schedule in the crontab. Times are in `zone`.
    """
    starts: dict[datetime, list[Task]] = defaultdict(list)
    runs = cache(partial(_runs, now, end, dialect))  # many tasks have the same schedule
    for task in tasks:
        planned = in_force.get(task.id)
        for run in runs(planned.schedule, planned.clock) if planned else ():
            starts[run.astimezone(zone)].append(task)
    first: dict[tuple[int, ...], Crowd] = {}
    for at in sorted(starts):
        group = starts[at]
        if len(group) >= CROWDED:
            first.setdefault(tuple(task.id for task in group), Crowd(at, tuple(group)))
    return list(first.values())


def _runs(
    now: datetime, end: datetime, dialect: Dialect, text: str, clock: Clock
) -> list[datetime]:
    try:
        schedule = schedules.parse(text, dialect)
    except InvalidSchedule:
        return []
    days = max(1, round((end - now).total_seconds() / 86_400))
    runs = next_runs(schedule, now, clock, _MOST_RUNS * days + 1, end)
    return runs if len(runs) <= _MOST_RUNS * days else []


def spread(crowd: Crowd) -> dict[int, str]:
    """Return new schedules that start the tasks of a crowd ten minutes apart, by task id.

    The first task keeps its time. Only a schedule with a single minute can move, and only within
    its hour.
    """
    moved: dict[int, str] = {}
    minutes = {crowd.at.minute}
    for task in crowd.tasks[1:]:
        fields = task.schedule.split()
        if len(fields) != 5 or not fields[0].isdecimal():
            continue
        # Its minute by the clock of its entry, whose zone may be off by half an hour.
        own = int(fields[0])
        shift = _free_shift(minutes, crowd.at.minute, own)
        if shift is None:
            continue
        minutes.add((crowd.at.minute + shift) % 60)
        moved[task.id] = " ".join([str(own + shift), *fields[1:]])
    return moved


def _free_shift(taken: set[int], start: int, own: int) -> int | None:
    """Return by how many minutes a task can move within its hour to a minute that is free."""
    later = range(_STEP, 60 - own, _STEP)
    earlier = range(-_STEP, -own - 1, -_STEP)
    shifts = (*later, *earlier)
    return next((shift for shift in shifts if (start + shift) % 60 not in taken), None)


def stage_spread(staging: Staging, moved: Mapping[int, str], tasks: Iterable[Task]) -> Staging:
    """Return the staging with the new schedules, which a person then reviews and applies."""
    new = {
        task.id: {**staging.get(task.id, {}), "schedule": Staged(task.schedule, moved[task.id])}
        for task in tasks
        if task.id in moved
    }
    return {**staging, **new}


def is_staged(staging: Staging, moved: Mapping[int, str]) -> bool:
    """Whether all new schedules wait to be applied."""
    return all(
        "schedule" in cells and cells["schedule"].after == schedule
        for number, schedule in moved.items()
        for cells in [staging.get(number, {})]
    )
