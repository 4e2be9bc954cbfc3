"""Recent changes and operations as sentences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pitasker_core.base.text import visible
from pitasker_core.dashboard.cells import sentence
from pitasker_core.dashboard.overview import outcome
from pitasker_core.reports.audit import Event, difference
from pitasker_core.sync.operation_history import Operation
from pitasker_core.sync.store import Outcome

_ACTORS = {"dashboard": "in the dashboard", "cli": "by command line", "api": "by the API"}

_EVENTS = {
    "created": "created",
    "deleted": "deleted",
    "undeleted": "restored",
    "run by hand": "started by hand",
    "caught up": "started to catch up",
    "imported": "imported",
}
"""Events of a task, in words."""

_OPERATIONS = {
    "sync": "Sync",
    "import": "Import",
    "export": "Export",
    "edit": "Crontab edited",
    "restore": "Crontab restored",
    "undo": "Undone",
    "resolve": "Conflict resolved",
    "validate": "Validation",
}

_TASK_KINDS = ("create", "change", "delete", "undo delete", "resume")
"""Operations that are left out: an event of the task says more."""


@dataclass(frozen=True)
class ActivityItem:
    """A change or an operation: its time, its sentence and its actor."""

    at: datetime
    sentence: str
    actor: str


def list_activity(
    events: Sequence[Event],
    operations: Sequence[Operation],
    names: Mapping[int, str],
    count: int,
) -> list[ActivityItem]:
    """Return the newest events and operations, newest first."""
    items = [
        *(_event(event, names) for event in events),
        *(
            _operation(operation)
            for operation in operations
            if operation.kind not in _TASK_KINDS or operation.outcome == Outcome.FAILED
        ),
    ]
    return sorted(items, key=lambda item: item.at, reverse=True)[:count]


def actor_text(actor: str) -> str:
    """Return an actor in words."""
    return _ACTORS.get(actor, visible(actor))


def _event(event: Event, names: Mapping[int, str]) -> ActivityItem:
    values = event.after or event.before or {}
    name = visible(names.get(event.task or 0) or str(values.get("name", "")))
    if event.kind == "changed":
        sentence = f"{name}: {difference(event)}"
    elif event.task is not None:
        sentence = f"{name}: {_EVENTS.get(event.kind, event.kind)}"
    else:
        detail = difference(event)
        sentence = f"{visible(event.kind).capitalize()}{f': {detail}' if detail else ''}"
    return ActivityItem(event.at, sentence, actor_text(event.actor))


def _operation(operation: Operation) -> ActivityItem:
    what = _OPERATIONS.get(operation.kind, operation.kind.capitalize())
    result = sentence(operation.error_message or outcome(operation))
    return ActivityItem(operation.started_at, f"{what}: {result}", actor_text(operation.actor))
