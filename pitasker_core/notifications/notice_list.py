"""The latest notices, each with its delivery."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import NoticeRow, TaskRow
from pitasker_core.notifications.attempts import read
from pitasker_core.sync import store


@dataclass(frozen=True)
class ListedNotice:
    """A notice with its delivery."""

    id: int
    at: datetime
    kind: NoticeKind
    task: int | None
    task_name: str | None
    message: str
    sent_at: datetime | None
    sent_to: tuple[str, ...]
    next_try: datetime | None
    problem: str | None

    @property
    def result(self) -> str:
        """The state of its delivery in words."""
        to = f"sent to {', '.join(self.sent_to)}" if self.sent_to else ""
        if self.problem:
            return ", ".join(filter(None, (to, "given up" if self.sent_at else "not yet")))
        if self.sent_at is None:
            return "waits"
        return to or "no channel for it"


def listing(environment: Environment, limit: int = 100) -> list[ListedNotice]:
    """The newest notices with their delivery, newest first."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        rows = session.execute(
            select(NoticeRow, TaskRow.name)
            .outerjoin(TaskRow, TaskRow.id == NoticeRow.task)
            .where(NoticeRow.crontab_row == crontab_row)
            .order_by(NoticeRow.id.desc())
            .limit(limit)
        )
        return [
            ListedNotice(
                row.id,
                row.at,
                NoticeKind(row.kind),
                row.task,
                name,
                row.message,
                row.sent_at,
                tuple(sorted(to for to, each in read(row.deliveries).items() if each.sent_at)),
                row.next_try,
                row.problem,
            )
            for row, name in rows
        ]
