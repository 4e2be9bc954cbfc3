"""The editable table of tasks: rows to show, and what a person's edits of them mean. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule
from pitasker_core.tasks import Edit, Listing, State, Task

SIGNS = {
    State.SYNCED: "✓",
    State.PENDING: "…",
    State.FAILED: "✗",
    State.CONFLICT: "⚠",
    State.DATABASE_ONLY: "–",
}

EDITABLE = {
    "on": "on",
    "name": "name",
    "schedule": "schedule",
    "command": "command",
    "in_crontab": "system_managed",
}
"""Columns that a person may edit, and the field of the task each stands for."""

MENU = ["Details", "Delete"]


@dataclass(frozen=True)
class Shown:
    """The task in a row as it was shown: an edit of something newer is refused."""

    id: int
    version: int
    name: str


def rows(listing: Listing, words: str = "") -> list[Task]:
    """The tasks to show: all, or those that have every one of some words."""
    wanted = words.casefold().split()
    return [
        task
        for task in listing.tasks
        if all(
            word in f"{task.name} {task.schedule} {task.command} {' '.join(task.labels)}".casefold()
            for word in wanted
        )
    ]


def shown(tasks: Sequence[Task]) -> list[Shown]:
    """What to keep beside the table: its edits come back by row number."""
    return [Shown(task.id, task.version, task.name) for task in tasks]


def frame(tasks: Sequence[Task], listing: Listing, now: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """The table's rows. Next runs are in the machine's zone, as cron sees it."""
    minute = now.replace(second=0, microsecond=0)
    return pd.DataFrame(
        {
            "on": pd.Series([not task.paused for task in tasks], dtype=bool),
            "name": pd.Series([task.name for task in tasks], dtype=object),
            "schedule": pd.Series([task.schedule for task in tasks], dtype=object),
            "command": pd.Series([task.command for task in tasks], dtype=object),
            "in_crontab": pd.Series([task.is_system_managed for task in tasks], dtype=bool),
            "state": [
                f"{SIGNS[listing.states[task.id]]} {listing.states[task.id]}" for task in tasks
            ],
            "next_run": pd.Series(
                [
                    next_run(task.schedule, minute, zone)
                    if task.is_system_managed and not task.paused
                    else None
                    for task in tasks
                ],
                dtype=f"datetime64[ns, {zone.key or 'UTC'}]",
            ),
            "words": pd.Series([in_words(task.schedule) for task in tasks], dtype=object),
            "menu": [MENU for _ in tasks],
        }
    )


def edits(delta: Mapping[str, Any], table: Sequence[Shown]) -> list[Edit]:
    """The edits of tasks that a delta of the table says. A cell that was emptied is empty text."""
    found = []
    for position, cells in delta.get("edited_rows", {}).items():
        row = table[int(position)]
        fields: dict[str, Any] = {}
        for column, value in cells.items():
            if column == "on":
                fields["paused"] = not value
            elif column in EDITABLE:
                fields[EDITABLE[column]] = "" if value is None else value
        if fields:
            found.append(Edit(row.id, row.version, fields))
    return found


def additions(delta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The new tasks that a delta of the table says, as arguments of `tasks.create`."""
    return [
        {
            "name": cells.get("name") or "",
            "schedule": cells.get("schedule") or "",
            "command": cells.get("command") or "",
            "system_managed": cells.get("in_crontab") is not False,
            "paused": cells.get("on") is False,
        }
        for cells in delta.get("added_rows", [])
        if cells.get("name") and cells.get("schedule") and cells.get("command")
    ]


def in_words(schedule: str) -> str:
    """What a schedule means, in words; empty for one that cannot be read."""
    try:
        return schedules.describe(schedules.parse(schedule, Dialect.DEBIAN))
    except InvalidSchedule:
        return ""


def next_run(schedule: str, after: datetime, zone: ZoneInfo) -> datetime | None:
    """When cron runs a schedule next; None for never, at boot, or one that cannot be read."""
    try:
        found = schedules.next_runs(schedules.parse(schedule, Dialect.DEBIAN), after, zone, 1)
    except InvalidSchedule:
        return None
    return found[0] if found else None
