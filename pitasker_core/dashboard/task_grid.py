"""The table of tasks: which to show, and what it says of each. Pure."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import pandas as pd

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule
from pitasker_core.dashboard.staging import FIELDS, Staging, cell
from pitasker_core.dashboard.times import ago
from pitasker_core.tasks import Listing, State, Task

SIGNS = {
    State.SYNCED: "✓",
    State.PENDING: "…",
    State.FAILED: "✗",
    State.CONFLICT: "⚠",
    State.DATABASE_ONLY: "–",
}

SOURCES = {"pitasker": "PiTasker", "crontab": "crontab", "imported": "copied"}

RESULTS = {
    "success": "✓ went well",
    "failed": "✗ failed",
    "missed": "⊘ missed",
    "running": "… running",
}
"""What became of the last run, as far as that is known."""

WHY = "Why did it not run?"

RUN_NOW, RUNS = "Run now", "Runs"

MENU = ["Details", RUN_NOW, RUNS, WHY, "Duplicate", "Delete"]
LOOKING = ["Details", RUNS, WHY]
"""What of it somebody may do who may only look."""

_WAITING = (State.PENDING, State.FAILED, State.CONFLICT)

FILTERS: dict[str, Callable[[Task, State], bool]] = {
    "All": lambda task, state: True,
    "In crontab": lambda task, state: task.system_managed,
    "Database only": lambda task, state: not task.system_managed,
    "Sync issues": lambda task, state: state in _WAITING,
    "Paused": lambda task, state: task.paused,
    "Failing": lambda task, state: task.status in ("failed", "missed"),
}


def rows(
    listing: Listing, words: str = "", kind: str = "All", only: Collection[int] = ()
) -> list[Task]:
    """The tasks to show: those of a filter that have every one of some words.

    `only` leaves out all others, if there are any in it.
    """
    wanted = words.casefold().split()
    fits = FILTERS[kind]
    return [
        task
        for task in listing.tasks
        if fits(task, listing.states[task.id])
        and (not only or task.id in only)
        and all(
            word in f"{task.name} {task.schedule} {task.command} {' '.join(task.labels)}".casefold()
            for word in wanted
        )
    ]


def counts(listing: Listing) -> dict[str, int]:
    """How many tasks each filter shows."""
    return {kind: len(rows(listing, kind=kind)) for kind in FILTERS}


def frame(
    tasks: Sequence[Task],
    listing: Listing,
    staging: Staging,
    selected: set[int],
    now: datetime,
    zone: ZoneInfo,
    menu: Sequence[str] = MENU,
) -> pd.DataFrame:
    """The table's rows, with what was edited and waits. Next runs are in the machine's zone.

    Indexed by the tasks' ids: by that the table knows its rows, wherever they move.
    """
    minute = now.replace(second=0, microsecond=0)
    columns: dict[str, object] = {"chosen": [task.id in selected for task in tasks]}
    for column in FIELDS:
        columns[column] = [
            staging[task.id][column].after
            if column in staging.get(task.id, {})
            else cell(task, column)
            for task in tasks
        ]
    schedules_shown = columns["schedule"]
    assert isinstance(schedules_shown, list)  # noqa: S101 - made just above
    columns["state"] = [_state(task, listing, staging) for task in tasks]
    columns["detail"] = [_detail(task, listing, now, zone) for task in tasks]
    columns["words"] = [in_words(text, listing.dialect) for text in schedules_shown]
    # What cron will do now: a change that waits is not in the crontab yet.
    in_force = [
        shown if task.id in staging and cell(task, "in_crontab") else listing.cron_schedule(task)
        for task, shown in zip(tasks, schedules_shown, strict=True)
    ]
    columns["next_run"] = pd.array(
        [
            next_run(text, minute, listing.cron_zone(task, zone), listing.dialect)
            if text and not task.paused
            else None
            for task, text in zip(tasks, in_force, strict=True)
        ],
        dtype=pd.DatetimeTZDtype("ns", zone),
    )
    columns["last_run"] = [ago(task.last_run, now) if task.last_run else "" for task in tasks]
    columns["result"] = [_result(task) for task in tasks]
    columns["source"] = [SOURCES.get(task.source, task.source) for task in tasks]
    columns["labels"] = [list(task.labels) for task in tasks]
    columns["menu"] = [list(menu) for _ in tasks]
    table = pd.DataFrame(columns, index=pd.Index([task.id for task in tasks], dtype="int64"))
    booleans = ["chosen", "on", "in_crontab"]
    return table.astype({**dict.fromkeys(booleans, bool), "name": object, "command": object})


def _result(task: Task) -> str:
    """Of a task whose runs are not recorded, only that one was seen is known."""
    return RESULTS.get(task.status) or ("▸ started" if task.last_run else "")


def _state(task: Task, listing: Listing, staging: Staging) -> str:
    if task.id in staging:
        return "✎ Edited"
    state = listing.states[task.id]
    if state is State.SYNCED and task.paused:
        return "‖ Paused"
    return f"{SIGNS[state]} {state}"


def _detail(task: Task, listing: Listing, now: datetime, zone: ZoneInfo) -> str:
    """What is behind the state: why it is not in order, or since when it is."""
    if listing.details[task.id]:
        return listing.details[task.id]
    if task.paused and task.paused_until:
        return f"until {task.paused_until.astimezone(zone):%a %d %b, %H:%M}"
    if task.synced_at and listing.states[task.id] is State.SYNCED:
        return ago(task.synced_at, now)
    return ""


@lru_cache(maxsize=4096)
def in_words(schedule: str, dialect: Dialect) -> str:
    """What a schedule means, in words; empty for one that cannot be read."""
    try:
        return schedules.describe(schedules.parse(schedule, dialect))
    except InvalidSchedule:
        return ""


_NEXT: dict[tuple[str, ZoneInfo, Dialect], tuple[datetime, datetime | None]] = {}
"""Answers of `next_run`, with the time they were asked for. A thousand new ones take 0.4 s."""


def next_run(schedule: str, after: datetime, zone: ZoneInfo, dialect: Dialect) -> datetime | None:
    """When cron runs a schedule next; None for never, at boot, or one that cannot be read."""
    key = (schedule, zone, dialect)
    if key in _NEXT:
        asked, answer = _NEXT[key]
        # The first run after an earlier time is still the first, until it comes.
        if asked <= after and (answer is None or after < answer):
            return answer
    try:
        runs = next_runs(schedules.parse(schedule, dialect), after, zone, 1)
    except InvalidSchedule:
        runs = []
    if len(_NEXT) > 10_000:
        _NEXT.clear()
    _NEXT[key] = (after, runs[0] if runs else None)
    return _NEXT[key][1]
