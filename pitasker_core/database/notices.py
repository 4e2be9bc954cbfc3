"""What there is to tell people about: kept in the transaction that found it, told later."""

from enum import StrEnum

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core.database.tables import NoticeRow


class Kind(StrEnum):
    """What there may be to tell."""

    FAILED = "failed"
    RECOVERED = "recovered"
    MISSED = "missed"
    CONFLICT = "conflict"
    SYNC_FAILED = "sync failed"
    FINDING = "finding"


OF_A_TASK = (Kind.FAILED, Kind.RECOVERED, Kind.MISSED, Kind.CONFLICT)
"""What a task may have to tell; a sync that failed is nobody's, nor is what a
validation finds."""


def add(
    session: Session,
    crontab_row: int,
    kind: Kind,
    message: str,
    task: int | None = None,
    run: int | None = None,
) -> None:
    """Keep something to tell. Whoever wants to hear of it is asked when it is told.

    Of a run there is one notice of a kind, however often it is found.
    """
    row = insert(NoticeRow).values(
        crontab_row=crontab_row, kind=kind, message=message, task=task, run=run
    )
    session.execute(row.on_conflict_do_nothing())
