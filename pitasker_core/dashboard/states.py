"""States in words, colours and signs, the same on every page. Pure."""

from typing import Literal

from pitasker_core.reports.status import Health
from pitasker_core.tasks import State

Color = Literal["green", "red", "orange", "blue", "gray"]

Badge = tuple[str, Color, str]
"""A state in words, with its colour and sign."""

HEALTH: dict[Health, Badge] = {
    Health.GREEN: ("Healthy", "green", ":material/check_circle:"),
    Health.YELLOW: ("Needs attention", "orange", ":material/warning:"),
    Health.RED: ("Problem", "red", ":material/error:"),
}

RUN: dict[str, Badge] = {
    "success": ("success", "green", ":material/check_circle:"),
    "failed": ("failed", "red", ":material/error:"),
    "missed": ("missed", "orange", ":material/event_busy:"),
    "running": ("running", "blue", ":material/pending:"),
    "started": ("started", "gray", ":material/play_arrow:"),
}
"""What became of a run."""

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
"""The chips of a task's sync, with their colours."""

_CHIPS = {
    State.SYNCED: "Synced",
    State.PENDING: "Not in crontab yet",
    State.FAILED: "Failed to sync",
    State.CONFLICT: "Conflict",
    State.DATABASE_ONLY: "Database only",
}


def sync_chip(state: State, *, paused: bool, edited: bool, pulled: bool) -> str:
    """The chip of a task. `pulled`: what is pending was edited in the crontab."""
    if edited:
        return "Edited here"
    if state is State.SYNCED and paused:
        return "Paused"
    if state is State.PENDING and pulled:
        return "Changed in crontab"
    return _CHIPS[state]
