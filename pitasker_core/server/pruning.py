from datetime import timedelta

from sqlalchemy import delete, func, select

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database import drafts
from pitasker_core.database.preferences import Preferences
from pitasker_core.database.tables import (
    BaseRow,
    EventRow,
    NoticeRow,
    OperationRow,
    PlaceRow,
    SnapshotRow,
    TaskRow,
)
from pitasker_core.runs import retention, spool
from pitasker_core.sync import store


def prune(environment: Environment, preferences: Preferences) -> None:
    """Delete what is older, or more, than the preferences allow."""
    now = clock.now()
    old = now - timedelta(days=preferences.keep_operations_days)
    deleted = now - timedelta(days=preferences.keep_deleted_days)
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        mine = SnapshotRow.crontab_row == crontab_row
        session.execute(
            delete(OperationRow).where(
                OperationRow.crontab_row == crontab_row, OperationRow.started_at < old
            )
        )
        session.execute(
            delete(EventRow).where(EventRow.crontab_row == crontab_row, EventRow.at < old)
        )
        session.execute(
            delete(NoticeRow).where(NoticeRow.crontab_row == crontab_row, NoticeRow.sent_at < old)
        )
        newest = select(SnapshotRow.id).where(mine).order_by(SnapshotRow.id.desc())
        first = select(func.min(SnapshotRow.id)).where(mine).scalar_subquery()
        session.execute(
            delete(SnapshotRow).where(
                mine,
                SnapshotRow.id.not_in(newest.limit(preferences.keep_snapshots).scalar_subquery()),
                SnapshotRow.id != first,
            )
        )
        has_entry = select(BaseRow.tag).where(BaseRow.tag == TaskRow.tag).exists()
        deleted_tasks = session.scalars(
            select(TaskRow.id).where(
                TaskRow.crontab_row == crontab_row, TaskRow.deleted_at < deleted, ~has_entry
            )
        )
        session.execute(
            delete(TaskRow).where(TaskRow.id.in_(store.lock_tasks(session, deleted_tasks.all())))
        )
        has_task = select(TaskRow.id).where(TaskRow.tag == PlaceRow.tag).exists()
        session.execute(delete(PlaceRow).where(PlaceRow.crontab_row == crontab_row, ~has_task))
    retention.prune(environment, preferences.keep_runs_days, preferences.keep_runs_mb)
    spool.sweep(environment)
    drafts.prune_drafts(environment)
