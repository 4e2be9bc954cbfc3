"""Notices: events to notify people about, written in the transaction of the event itself.

`notifications/` delivers them later.
"""

from enum import StrEnum

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core.database.tables import NoticeRow


class NoticeKind(StrEnum):
    """What happened."""

    FAILED = "failed"
    RECOVERED = "recovered"
    MISSED = "missed"
    CONFLICT = "conflict"
    SYNC_FAILED = "sync failed"
    FINDING = "finding"


TASK_NOTICES = (NoticeKind.FAILED, NoticeKind.RECOVERED, NoticeKind.MISSED, NoticeKind.CONFLICT)
"""The kinds that belong to one task. A failed sync and the findings of a validation do not."""


def add(
    session: Session,
    crontab_row: int,
    kind: NoticeKind,
    message: str,
    task: int | None = None,
    run: int | None = None,
) -> None:
    """Save a notice. Recipients are chosen at delivery time.

    A run has at most one notice of each kind.
    """
    row = insert(NoticeRow).values(
        crontab_row=crontab_row, kind=kind, message=message, task=task, run=run
    )
    session.execute(row.on_conflict_do_nothing())
