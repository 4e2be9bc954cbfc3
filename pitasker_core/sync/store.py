"""What a sync reads from the database and writes to it. Callers bring the transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Integer,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core import clock
from pitasker_core.crontab.document import decode, encode
from pitasker_core.crontab.recording import from_dict, recording
from pitasker_core.database import scope
from pitasker_core.database.tables import (
    BaseRow,
    CrontabRow,
    EventRow,
    OperationRow,
    SnapshotRow,
    TaskRow,
)
from pitasker_core.errors import NotFound
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Fields
from pitasker_core.sync.sides import Agreed, Known
from pitasker_core.text import Code, Text


@dataclass(frozen=True)
class Snapshot:
    """The exact text of a crontab at a time; `text` is None when there was no crontab."""

    id: int
    taken_at: datetime
    reason: str
    entries: int
    text: str | None


def own_crontab(session: Session, *, lock: bool = False) -> int:
    """The id of the crontab whose rows this session sees; `lock` keeps other writers out until
    commit."""
    crontab = int(session.connection().info[scope.CRONTAB])
    if lock:
        session.execute(select(CrontabRow.id).where(CrontabRow.id == crontab).with_for_update())
    return crontab


def known_tasks(session: Session, crontab: int, *, lock: bool = False) -> dict[UUID, Known]:
    """Every task that has, had or wants an entry, by its tag."""
    query = (
        select(
            TaskRow.crontab_id,
            TaskRow.id,
            TaskRow.name,
            TaskRow.cron_schedule,
            TaskRow.command,
            TaskRow.paused,
            TaskRow.record_runs,
            TaskRow.timeout_seconds,
            TaskRow.no_overlap,
            and_(TaskRow.is_system_managed, TaskRow.deleted_at.is_(None)),
            and_(TaskRow.source != "pitasker", TaskRow.crontab_synced_at.is_(None)),
        )
        .where(TaskRow.crontab == crontab, TaskRow.crontab_id.is_not(None))
        .order_by(TaskRow.id)
    )
    rows = session.execute(query.with_for_update() if lock else query)
    return {
        tag: Known(
            task,
            Fields(
                name,
                schedule,
                command,
                paused,
                recording(on=on, timeout_seconds=timeout, no_overlap=alone),
            ),
            wanted,
            adopting,
        )
        for tag, task, name, schedule, command, paused, on, timeout, alone, wanted, adopting in rows
        if tag
    }


def agreed(session: Session, crontab: int) -> dict[UUID, Agreed]:
    """The base: what both sides last agreed on, by tag."""
    rows = session.execute(
        select(
            BaseRow.tag,
            BaseRow.name,
            BaseRow.schedule,
            BaseRow.command,
            BaseRow.paused,
            BaseRow.recording,
            BaseRow.comment,
            BaseRow.comment_is_ours,
        ).where(BaseRow.crontab == crontab)
    )
    return {
        tag: Agreed(Fields(name, schedule, command, paused, from_dict(kept)), comment, ours)
        for tag, name, schedule, command, paused, kept, comment, ours in rows
    }


def move_base(session: Session, crontab: int, base: Mapping[UUID, Agreed | None]) -> None:
    """Record what both sides now agree on; None where there is no entry any more."""
    gone = [tag for tag, value in base.items() if value is None]
    if gone:
        session.execute(delete(BaseRow).where(BaseRow.tag.in_(gone)))
    kept = [(tag, value) for tag, value in base.items() if value is not None]
    if kept:
        session.execute(
            _MOVE_BASE,
            {
                "crontab": crontab,
                "tags": [tag for tag, _ in kept],
                "names": [value.fields.name for _, value in kept],
                "schedules": [value.fields.schedule for _, value in kept],
                "commands": [value.fields.command for _, value in kept],
                "paused": [value.fields.paused for _, value in kept],
                "recordings": [_json(value.fields.recording.as_dict()) for _, value in kept],
                "comments": [value.comment for _, value in kept],
                "ours": [value.comment_is_ours for _, value in kept],
            },
        )


# One statement, however many entries: row by row, a thousand take four times as long.
_MOVE_BASE = text("""
    insert into sync_base
        (crontab, tag, name, schedule, command, paused, recording, comment, comment_is_ours)
    select :crontab, * from unnest(
        cast(:tags as uuid[]), cast(:names as text[]), cast(:schedules as text[]),
        cast(:commands as text[]), cast(:paused as bool[]), cast(:recordings as jsonb[]),
        cast(:comments as text[]), cast(:ours as bool[])
    )
    on conflict (crontab, tag) do update set
        name = excluded.name, schedule = excluded.schedule,
        command = excluded.command, paused = excluded.paused, recording = excluded.recording,
        comment = excluded.comment, comment_is_ours = excluded.comment_is_ours
""")


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)


def pull(
    session: Session,
    crontab: int,
    changes: Sequence[tuple[int, Fields | None, Fields | None]],
    at: datetime,
) -> None:
    """Give tasks the fields that the crontab has: (task, before, after).

    A task whose entry is gone is kept, as database-only.
    """
    rows = [
        {
            "task": task,
            "name": after.name,
            "cron_schedule": after.schedule,
            "command": after.command,
            "paused": after.paused,
            "record_runs": after.recording.on,
            "timeout_seconds": after.recording.timeout_seconds,
            "no_overlap": after.recording.no_overlap,
        }
        for task, _, after in changes
        if after
    ]
    moved = {"updated_at": at, "version": TaskRow.version + 1}
    table = TaskRow.__table__
    # Of what is not recorded the crontab says no limits: those of the task stay for another time.
    is_recorded = bindparam("record_runs", type_=Boolean)
    limits = {
        name: case((is_recorded, bindparam(name, type_=table.c[name].type)), else_=table.c[name])
        for name in ("timeout_seconds", "no_overlap")
    }
    if rows:
        session.connection().execute(
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("task"))
            .values(
                **{key: bindparam(key) for key in rows[0] if key not in ("task", *limits)},
                **limits,
                is_system_managed=True,
                deleted_at=None,
                crontab=crontab,
                **moved,
            ),
            rows,
        )
    removed = [task for task, _, after in changes if after is None]
    if removed:
        session.execute(
            update(TaskRow)
            .where(TaskRow.id.in_(removed))
            .values(is_system_managed=False, **moved)
            .execution_options(synchronize_session=False)
        )
    events = [
        {
            "actor": "crontab",
            "kind": "changed in the crontab" if after else "removed from the crontab",
            "task": task,
            "before": before.as_dict() if before else None,
            "after": after.as_dict() if after else None,
        }
        for task, before, after in changes
    ]
    if events:
        session.execute(insert(EventRow), events)


def mark(session: Session, synced: Iterable[int], unsynced: Iterable[int], at: datetime) -> None:
    """Say of tasks whether both sides agree that they have an entry."""
    for tasks, values in (
        (list(synced), {"synced_to_crontab": True, "crontab_synced_at": at}),
        (list(unsynced), {"synced_to_crontab": False}),
    ):
        if tasks:
            session.execute(
                update(TaskRow)
                .where(TaskRow.id == any_(literal(tasks, ARRAY(Integer))))
                .values(sync_error=None, **values)
                .execution_options(synchronize_session=False)
            )


def mark_synced(session: Session, crontab: int, at: datetime) -> None:
    """Keep that a sync went well, in the row that it has locked: one that is quiet adds none."""
    session.execute(update(CrontabRow).where(CrontabRow.id == crontab).values(synced_at=at))


def last_sync(session: Session, crontab: int) -> datetime | None:
    """When a sync last went well."""
    return session.scalar(select(CrontabRow.synced_at).where(CrontabRow.id == crontab))


def mark_failed(session: Session, failures: Mapping[int, str]) -> bool:
    """Keep why each task could not be written; True when that is news."""
    news = False
    for task, reason in failures.items():
        done = session.scalars(
            update(TaskRow)
            .where(
                TaskRow.id == task, or_(TaskRow.sync_error.is_(None), TaskRow.sync_error != reason)
            )
            .values(sync_error=reason, synced_to_crontab=False)
            .returning(TaskRow.id)
            .execution_options(synchronize_session=False)
        )
        news = done.first() is not None or news
    return news


def take_snapshot(
    session: Session, crontab: int, text: str | None, reason: str, entries: int
) -> int:
    """Keep a text, unless it is the newest one kept already. Returns the snapshot's id."""
    newest = session.execute(
        select(SnapshotRow.id, SnapshotRow.sha256)
        .where(SnapshotRow.crontab == crontab)
        .order_by(SnapshotRow.id.desc())
        .limit(1)
    ).first()
    if newest and newest.sha256 == digest(text):
        return int(newest.id)
    row = SnapshotRow(
        crontab=crontab,
        taken_at=clock.now(),
        sha256=digest(text),
        bytes=None if text is None else encode(text),
        reason=reason,
        entries=entries,
    )
    session.add(row)
    session.flush()
    return row.id


@dataclass(frozen=True)
class Earlier:
    """A text of the crontab that is kept. `is_old`: PiTasker has written another one since."""

    text: str | None
    is_old: bool


TEXTS_COMPARED = 100
"""The most earlier texts among which the origin of one that others wrote is looked for."""


def earlier_texts(session: Session, crontab: int, text: str | None) -> list[Earlier] | None:
    """The newest texts that a crontab written by others may have been made from, newest first.

    The last of them may be any older one, if it is that very text. None when nobody else wrote: the
    text is the newest that is kept.
    """
    mine = SnapshotRow.crontab == crontab
    newest = session.scalar(
        select(SnapshotRow.sha256).where(mine).order_by(SnapshotRow.id.desc()).limit(1)
    )
    if newest is None:
        return []
    if newest == digest(text):
        return None
    columns = select(SnapshotRow.id, SnapshotRow.bytes).where(mine).order_by(SnapshotRow.id.desc())
    rows = [*session.execute(columns.limit(TEXTS_COMPARED))]
    same = session.execute(columns.where(SnapshotRow.sha256 == digest(text)).limit(1)).first()
    if same and same.id < rows[-1].id:
        rows.append(same)
    written = session.scalar(
        select(func.max(SnapshotRow.id)).where(mine, SnapshotRow.reason != "found")
    )
    return [
        Earlier(None if row.bytes is None else decode(row.bytes), row.id < (written or 0))
        for row in rows
    ]


def snapshots(session: Session, crontab: int, limit: int) -> list[Snapshot]:
    """The newest snapshots, newest first."""
    rows = session.scalars(
        select(SnapshotRow)
        .where(SnapshotRow.crontab == crontab)
        .order_by(SnapshotRow.id.desc())
        .limit(limit)
    )
    return [_snapshot(row) for row in rows]


def snapshot(session: Session, crontab: int, number: int) -> Snapshot:
    """One snapshot of this crontab; NotFound when there is none with this id."""
    row = session.get(SnapshotRow, number)
    if row is None or row.crontab != crontab:
        raise NotFound(
            f"There is no snapshot {number}.", Text(Code("./pitasker snapshots"), " lists them.")
        )
    return _snapshot(row)


def task_counts(session: Session, crontab: int) -> tuple[int, int, int]:
    """How many tasks there are, how many of them are system-managed, and of those paused."""
    managed = TaskRow.is_system_managed
    row = session.execute(
        select(
            func.count(),
            func.count().filter(managed),
            func.count().filter(and_(managed, TaskRow.paused)),
        ).where(TaskRow.deleted_at.is_(None), TaskRow.crontab == crontab)
    ).one()
    return row[0], row[1], row[2]


def record(session: Session, **columns: Any) -> int:
    """Record an operation; returns its id."""
    row = OperationRow(**columns)
    session.add(row)
    session.flush()
    return row.id


def failed_last_by(session: Session, crontab: int, code: str, message: str) -> bool:
    """Whether the newest operation failed by this very error."""
    newest = session.execute(
        select(OperationRow.error_code, OperationRow.error_message)
        .where(OperationRow.crontab == crontab)
        .order_by(OperationRow.id.desc())
        .limit(1)
    ).first()
    return newest is not None and tuple(newest) == (code, message)


def _snapshot(row: SnapshotRow) -> Snapshot:
    text = None if row.bytes is None else decode(row.bytes)
    return Snapshot(row.id, row.taken_at, row.reason, row.entries, text)
