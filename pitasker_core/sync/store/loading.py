"""What a sync reads from the database, in one round trip."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from pitasker_core.database import direct
from pitasker_core.sync.sides import BaseEntry, KnownTask
from pitasker_core.sync.store.base import LOAD_BASE, base_of
from pitasker_core.sync.store.crontab_rows import (
    LOAD_STATE,
    LOCK_CRONTAB,
    OPEN_CONFLICTS,
    SyncState,
)
from pitasker_core.sync.store.tasks import KNOWN_TASKS, LOCK_KNOWN_TASKS, known_tasks_of


@dataclass(frozen=True)
class Stored:
    """What the last sync left, and what both sides agreed on."""

    state: SyncState
    tasks_by_tag: Mapping[UUID, KnownTask]
    """Every task that has, had or wants an entry."""
    base: Mapping[UUID, BaseEntry]


def load(session: Session, crontab_row: int, *, lock: bool = False) -> Stored:
    """Load what a sync compares. `lock` first keeps other writers out until commit."""
    values = {"crontab": crontab_row, "conflicts": OPEN_CONFLICTS}
    locks = [LOCK_CRONTAB] if lock else []
    tasks = LOCK_KNOWN_TASKS if lock else KNOWN_TASKS
    queries = [*locks, tasks, LOAD_BASE, LOAD_STATE]
    *_, tasks_rows, base_rows, state_rows = direct.execute_together(
        session, [(query, values) for query in queries]
    )
    ((snapshot, sha256, conflicts),) = state_rows
    state = SyncState(snapshot, sha256, conflicts or {})
    return Stored(state, known_tasks_of(tasks_rows), base_of(base_rows))
