"""States as words, colours and icons, the same on every page. Pure."""

from typing import Literal

from pitasker_core.reports.status import Health
from pitasker_core.runs.model import RunState
from pitasker_core.tasks import State

Color = Literal["green", "red", "orange", "blue", "gray"]

Badge = tuple[str, Color, str]
"""A label, its colour and its icon."""

HEALTH: dict[Health, Badge] = {
    Health.GREEN: ("Healthy", "green", ":material/check_circle:"),
    Health.YELLOW: ("Needs attention", "orange", ":material/warning:"),
    Health.RED: ("Problem", "red", ":material/error:"),
}

IN_SYNC: Badge = ("In sync", "green", ":material/check_circle:")

RUN: dict[str, Badge] = {
    RunState.SUCCESS: ("success", "green", ":material/check_circle:"),
    RunState.FAILED: ("failed", "red", ":material/error:"),
    RunState.MISSED: ("missed", "orange", ":material/event_busy:"),
    RunState.RUNNING: ("running", "blue", ":material/pending:"),
    RunState.STARTED: ("ran", "gray", ":material/play_arrow:"),
}

RUN_CHIPS: dict[str, Color] = {label: color for label, color, _ in RUN.values()}
"""The results in a table, with their colours."""

SYNC: dict[str, Color] = {
    "Synced": "green",
    "Edited here": "blue",
    "Changed in crontab": "blue",
    "Not in crontab yet": "blue",
    "Conflict": "orange",
    "Failed to sync": "red",
    "Paused": "gray",
    "Database only": "gray",
}
"""The sync states of a task, with their colours."""

_CHIPS = {
    State.SYNCED: "Synced",
    State.PENDING: "Not in crontab yet",
    State.FAILED: "Failed to sync",
    State.CONFLICT: "Conflict",
    State.DATABASE_ONLY: "Database only",
}


def sync_chip(state: State, *, paused: bool, edited: bool, pulled: bool) -> str:
    """Return a task's sync state in words. `pulled`: the pending change was made in the crontab."""
    if edited:
        return "Edited here"
    if state is State.SYNCED and paused:
        return "Paused"
    if state is State.PENDING and pulled:
        return "Changed in crontab"
    return _CHIPS[state]
