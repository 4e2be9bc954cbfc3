"""What a sync reads from the database and writes to it. Callers bring the transaction."""

from pitasker_core.sync.store.base import (
    BaseMove,
    base_statement,
    load_base,
    load_places,
    move_base,
    save_places,
)
from pitasker_core.sync.store.crontab_rows import SyncState, last_sync, own_crontab
from pitasker_core.sync.store.loading import Stored, load
from pitasker_core.sync.store.operations import (
    OperationKind,
    Outcome,
    SyncRecord,
    add_events,
    events_statement,
    failed_last_by,
    record,
    record_statement,
    save_conflicts,
    synced_statement,
)
from pitasker_core.sync.store.snapshots import (
    BY_OTHERS,
    Earlier,
    Snapshot,
    SnapshotText,
    earlier_texts,
    last_write,
    newest_with,
    snapshot,
    snapshot_statement,
    snapshots,
    take_snapshot,
)
from pitasker_core.sync.store.tasks import (
    add_tasks,
    changed_columns,
    database_only,
    edited_tasks,
    lock_tasks,
    mark_failed,
    pull,
    write_tasks,
)
