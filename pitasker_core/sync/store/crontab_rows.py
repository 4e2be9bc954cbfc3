"""The row of our crontab, and what PiTasker remembers about its last sync."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from pitasker_core.database import scope
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
        session.execute(_LOCK_CRONTAB, {"crontab": crontab_row})
    return crontab_row


# Not FOR UPDATE: that would wait for, and block, every new row that names this crontab.
_LOCK_CRONTAB = text("select id from crontabs where id = :crontab for no key update")


def load_state(session: Session, crontab_row: int) -> SyncState:
    """Return what the last sync left. Lock the crontab first."""
    row = session.execute(
        _LOAD_STATE, {"crontab": crontab_row, "conflicts": OPEN_CONFLICTS}
    ).first()
    return SyncState(row.id, row.sha256, row.conflicts or {}) if row else SyncState()


_LOAD_STATE = text("""
    select newest.id, newest.sha256, (
        select value from state where state.crontab = :crontab and key = :conflicts
    ) as conflicts
    from (select) as one left join (
        select id, sha256 from snapshots where crontab = :crontab order by id desc limit 1
    ) as newest on true
""")


def last_sync(session: Session, crontab_row: int) -> datetime | None:
    """Return the time of the last successful sync."""
    return session.scalar(select(CrontabRow.synced_at).where(CrontabRow.id == crontab_row))
