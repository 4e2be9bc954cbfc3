"""Save the crontab as it was before PiTasker first wrote it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import SnapshotRow
from pitasker_core.sync import install, store
from pitasker_core.sync.service import read_crontab


@dataclass(frozen=True)
class Untouched:
    """PiTasker has not written the crontab yet. `backup` holds its text, if there was one."""

    backup: Path | None


def keep_what_is_there(environment: Environment) -> None:
    """Take the first snapshot, and write a backup that can be read without PiTasker.

    Does nothing if there is a snapshot. Raises PiTaskerError when the crontab or the database
    cannot be read, or the disk not be written.
    """
    with install.locked(environment):
        text, document = read_crontab(environment)
        with database.session(environment) as session:
            crontab_row = store.own_crontab(session)
            if store.snapshots(session, crontab_row, 1):
                return
            install.back_up(environment, text, clock.now())
            store.take_snapshot(session, crontab_row, text, store.BY_OTHERS, document.size)


def untouched(environment: Environment) -> Untouched | None:
    """Return the backup of the first text; None once PiTasker has written the crontab."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        written = select(SnapshotRow.id).where(
            SnapshotRow.crontab_row == crontab_row, SnapshotRow.reason != store.BY_OTHERS
        )
        if session.scalar(written.limit(1)) is not None:
            return None
    backups = sorted(environment.backups.glob("*.crontab"))
    return Untouched(backups[0] if backups else None)
