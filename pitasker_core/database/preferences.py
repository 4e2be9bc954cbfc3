"""Preferences that a person sets on the Settings page: background work and retention."""

from dataclasses import dataclass
from typing import Any

from pitasker_core import database
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.database import settings
from pitasker_core.database.events import EventKind

_KEY = "preferences"


@dataclass(frozen=True)
class Preferences:
    """The preferences of this crontab, the same for all its servers. 0 switches a job off."""

    sync_minutes: int = 5
    """How often the background syncs."""
    import_new: bool = False
    """Whether the background imports new entries automatically."""
    validate_minutes: int = 60
    """How often the background validates."""
    keep_operations_days: int = 365
    """How long the history of operations and events is kept."""
    keep_snapshots: int = 1000
    """The number of snapshots to keep. The first one is always kept."""
    keep_deleted_days: int = 90
    """How long a deleted task can be restored."""
    keep_runs_days: int = 90
    """How long runs are kept."""
    keep_runs_mb: int = 200
    """The storage for output in megabytes. 0 keeps none."""


LIMITS = {
    "sync_minutes": (0, 1440),
    "validate_minutes": (0, 10080),
    "keep_operations_days": (1, 36500),
    "keep_snapshots": (10, 1_000_000),
    "keep_deleted_days": (1, 36500),
    "keep_runs_days": (1, 36500),
    "keep_runs_mb": (0, 1_000_000),
}
"""The minimum and maximum of each number."""


def read(environment: Environment) -> Preferences:
    """The current preferences."""
    return settings.read(environment, _KEY, Preferences)


def change(
    environment: Environment, actor: Actor, shown: Preferences | None = None, **values: Any
) -> Preferences:
    """Change some preferences. Raises InvalidSyntax for a number out of its limits, and Stale if
    somebody changed one of them after it was `shown`."""
    for name, (least, most) in LIMITS.items():
        if name in values and not least <= values[name] <= most:
            raise InvalidSyntax(f"{name.replace('_', ' ')} must be {least} to {most}.")
    before = read(environment)
    after = settings.apply(before, shown, values)
    if after != before:
        with database.session(environment) as session:
            settings.save(session, _KEY, actor, EventKind.PREFERENCES_CHANGED, before, after)
    return after
