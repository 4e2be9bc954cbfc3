"""Events: who changed what. Every change writes one."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from sqlalchemy.orm import Session

from pitasker_core.base.actor import Actor
from pitasker_core.database.tables import EventRow


class EventKind(StrEnum):
    """What was done. The values are stored in the database, and are shown as they are."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    UNDELETED = "undeleted"
    IMPORTED = "imported"
    EXPORTED = "exported"
    NO_LONGER_MANAGED = "no longer managed"
    RUN_BY_HAND = "run by hand"
    CAUGHT_UP = "caught up"
    CHANGED_IN_CRONTAB = "changed in the crontab"
    REMOVED_FROM_CRONTAB = "removed from the crontab"
    REPLACED_BY_CRONTAB = "replaced by crontab"
    REMOVED_BY_CRONTAB = "removed by crontab -r"
    EDITED_BY_CRONTAB = "edited by crontab -e"
    RESTORED_FROM_BACKUP = "restored from a backup"
    CONTINUED = "continued under another name"
    BEGUN = "began as a new crontab"
    RULE_SILENCED = "rule silenced"
    RULE_REPORTED = "rule reported again"
    TEMPLATE_SAVED = "template saved"
    TEMPLATE_REMOVED = "template removed"
    PREFERENCES_CHANGED = "preferences changed"
    NOTIFICATIONS_CHANGED = "notifications changed"
    CHANNEL_ADDED = "channel added"
    CHANNEL_CHANGED = "channel changed"
    CHANNEL_REMOVED = "channel removed"
    TOKEN_CREATED = "token created"  # noqa: S105 - no password
    TOKEN_REVOKED = "token revoked"  # noqa: S105 - no password
    PASSWORD_CHANGED = "password changed"  # noqa: S105 - no password
    EVERYBODY_SIGNED_OUT = "everybody signed out"


class NewEvent(TypedDict, total=False):
    """An event to write, with the values before and after the change."""

    actor: Actor
    kind: EventKind
    task: int
    before: dict[str, Any]
    after: dict[str, Any]


def add_event(
    session: Session,
    actor: Actor,
    kind: EventKind,
    *,
    task: int | None = None,
    at: datetime | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write an event. `at` is now unless given."""
    values = {"task": task, "at": at, "before": before, "after": after}
    given = {name: value for name, value in values.items() if value is not None}
    session.add(EventRow(actor=actor, kind=kind, **given))
