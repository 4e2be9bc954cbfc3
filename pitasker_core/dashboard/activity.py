"""Recent changes and operations as sentences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pitasker_core.base.actor import Actor
from pitasker_core.base.text import visible
from pitasker_core.dashboard.cells import sentence
from pitasker_core.dashboard.overview import outcome
from pitasker_core.database.events import EventKind
from pitasker_core.reports.audit import Event, difference
from pitasker_core.sync.operation_history import Operation
from pitasker_core.sync.store import OperationKind, Outcome

ACTOR_WORDS: Mapping[str, str] = {
    Actor.DASHBOARD: "in the dashboard",
    Actor.API: "by the API",
    Actor.COMMAND_LINE: "by command line",
    Actor.BACKGROUND: "in the background",
    Actor.CATCH_UP: "in the background",
    Actor.DEMO: "by the demo",
    Actor.CRONTAB: "in the crontab",
    Actor.CRON_LOG: "in cron's log",
}

_EVENTS: Mapping[str, str] = {
    EventKind.UNDELETED: "restored",
    EventKind.RUN_BY_HAND: "started by hand",
    EventKind.CAUGHT_UP: "started to catch up",
}
"""Events of a task in words, where the kind itself is not said so."""

OPERATION_WORDS: Mapping[str, str] = {
    OperationKind.SYNC: "Sync",
    OperationKind.IMPORT: "Import",
    OperationKind.EXPORT: "Export",
    OperationKind.EDIT: "Crontab edited",
    OperationKind.RESTORE: "Crontab restored",
    OperationKind.UNDO: "Undone",
    OperationKind.RESOLVE: "Conflict resolved",
    OperationKind.STOP_MANAGING: "Stopped managing",
    OperationKind.DETACH: "Recorder removed",
}

TASK_KINDS = (
    OperationKind.CREATE,
    OperationKind.CHANGE,
    OperationKind.PAUSE,
    OperationKind.RESUME,
    OperationKind.DELETE,
    OperationKind.UNDO_DELETE,
)
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
            if operation.kind not in TASK_KINDS or operation.outcome == Outcome.FAILED
        ),
    ]
    return sorted(items, key=lambda item: item.at, reverse=True)[:count]


def actor_text(actor: str) -> str:
    """Return an actor in words."""
    return ACTOR_WORDS.get(actor, visible(actor))


def _event(event: Event, names: Mapping[int, str]) -> ActivityItem:
    values = event.after or event.before or {}
    name = visible(names.get(event.task or 0) or str(values.get("name", "")))
    if event.kind == EventKind.CHANGED:
        sentence = f"{name}: {difference(event)}"
    elif event.task is not None:
        sentence = f"{name}: {_EVENTS.get(event.kind, event.kind)}"
    else:
        detail = difference(event)
        sentence = f"{visible(event.kind).capitalize()}{f': {detail}' if detail else ''}"
    return ActivityItem(event.at, sentence, actor_text(event.actor))


def _operation(operation: Operation) -> ActivityItem:
    what = OPERATION_WORDS.get(operation.kind, operation.kind.capitalize())
    result = sentence(operation.error_message or outcome(operation))
    return ActivityItem(operation.started_at, f"{what}: {result}", actor_text(operation.actor))
