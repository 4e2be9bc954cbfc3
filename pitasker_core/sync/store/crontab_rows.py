"""The row of our crontab, and what PiTasker remembers about its last sync."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pitasker_core.database import direct, scope
from pitasker_core.database.tables import CrontabRow
from pitasker_core.sync.install import digest

OPEN_CONFLICTS = "open conflicts"
"""The key of the conflicts that wait for a person, in the table `state`."""


@dataclass(frozen=True)
class SyncState:
    """What the last sync left."""

    snapshot: int | None = None
    """The newest snapshot."""
    sha256: str | None = None
    """The digest of its text."""
    conflicts: dict[str, str] = field(default_factory=dict)
    """The fingerprint of each conflict that waits for a person, by tag."""

    def is_newest(self, crontab_text: str | None) -> bool:
        """Return whether a text is that of the newest snapshot."""
        return self.sha256 == digest(crontab_text)


def own_crontab(session: Session, *, lock: bool = False) -> int:
    """Return the id of the crontab whose rows this session sees.

    `lock` keeps other writers out until commit.
    """
    crontab_row = int(session.connection().info[scope.CRONTAB])
    if lock:
        direct.execute(session, LOCK_CRONTAB, {"crontab": crontab_row})
    return crontab_row


# Not FOR UPDATE: that would wait for, and block, every new row that names this crontab.
LOCK_CRONTAB = "select id from crontabs where id = %(crontab)s for no key update"


LOAD_STATE = """
    select newest.id, newest.sha256, (
        select value from state where state.crontab = %(crontab)s and key = %(conflicts)s
    ) as conflicts
    from (select) as one left join (
        select id, sha256 from snapshots where crontab = %(crontab)s order by id desc limit 1
    ) as newest on true
"""


def last_sync(session: Session, crontab_row: int) -> datetime | None:
    """Return the time of the last successful sync."""
    return session.scalar(select(CrontabRow.synced_at).where(CrontabRow.id == crontab_row))
