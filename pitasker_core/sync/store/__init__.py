"""What a sync reads from the database and writes to it. Callers bring the transaction."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    cast,
    column,
    delete,
    func,
    inspect,
    literal,
    literal_column,
    select,
    text,
    types,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from pitasker_core.base import clock
from pitasker_core.base.errors import NotFound, Stale
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.document import Document, decode, encode, parse
from pitasker_core.crontab.place import Place
from pitasker_core.crontab.recording import from_dict, recording
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.database import scope
from pitasker_core.database.tables import (
    BaseRow,
    CrontabRow,
    EventRow,
    OperationRow,
    PlaceRow,
    SnapshotRow,
    StateRow,
    TaskRow,
)
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Change, Fields
from pitasker_core.sync.sides import BaseEntry, KnownTask


@dataclass(frozen=True)
class Snapshot:
    """A crontab at a time. `sha256` and `size` (in bytes) are those of its text."""

    id: int
    taken_at: datetime
    reason: str
    entries: int
    sha256: str
    size: int


@dataclass(frozen=True)
class SnapshotText(Snapshot):
    """A crontab at a time with its exact text; `text` is None when there was no crontab."""

    text: str | None


def own_crontab(session: Session, *, lock: bool = False) -> int:
    """The id of the crontab whose rows this session sees; `lock` keeps other writers out until
    commit."""
    crontab_row = int(session.connection().info[scope.CRONTAB])
    if lock:
        # Not FOR UPDATE: that would wait for, and block, every new row that names this crontab.
        query = select(CrontabRow.id).where(CrontabRow.id == crontab_row)
        session.execute(query.with_for_update(key_share=True))
    return crontab_row


def edited_tasks(session: Session, tasks: Collection[int]) -> dict[int, TaskRow]:
    """Tasks that are to be changed, locked, by their ids. They are not part of the session:
    `write_tasks` writes them.
    """
    query = select(TaskRow).where(TaskRow.id.in_(tasks))
    rows = {row.id: row for row in session.scalars(_locking_tasks(query))}
    for row in rows.values():
        session.expunge(row)
    return rows


def lock_tasks(session: Session, tasks: Collection[int]) -> set[int]:
    """Keep other writers of these tasks out until commit. Returns the ids of those that exist."""
    query = select(TaskRow.id).where(TaskRow.id.in_(tasks))
    return set(session.scalars(_locking_tasks(query)))


def _locking_tasks(query: Any) -> Any:
    """The query, locking its tasks in the order of their ids.

    Every transaction locks first the crontab, then its tasks in this order, and so none waits for
    another that waits for it. A run may be added to a locked task.
    """
    return query.order_by(TaskRow.id).with_for_update(key_share=True, of=TaskRow)


def write_tasks(session: Session, rows: Iterable[TaskRow]) -> None:
    """Write what was changed of `edited_tasks`, in one statement however many they are.

    Raises Stale when another process changed one of them meanwhile.
    """
    changed = {row: changed_columns(row) for row in rows}
    modified = [row for row, names in changed.items() if names]
    if not modified:
        return
    table = TaskRow.__table__
    names = sorted(set().union(*changed.values()))
    columns = {name: table.c[name] for name in ("id", "version", *names)}
    values = [
        {column.name: getattr(row, name) for name, column in columns.items()} for row in modified
    ]
    new = func.jsonb_populate_recordset(
        literal_column("null::tasks"),
        cast(literal(json.dumps(values, default=str), types.Text), JSONB),
    ).table_valued(*[column(c.name, c.type) for c in columns.values()], name="new")
    done = session.execute(
        update(TaskRow)
        .where(TaskRow.id == new.c.id, TaskRow.version == new.c.version)
        .values(
            {**{name: new.c[columns[name].name] for name in names}, "version": TaskRow.version + 1}
        )
        .returning(TaskRow.id, TaskRow.version, TaskRow.definition_changed_at)
        .execution_options(synchronize_session=False)
    ).all()
    if len(done) != len(modified):
        raise Stale("A task was changed by somebody else meanwhile.", "Nothing was changed.")
    by_id = {row.id: row for row in modified}
    for task, version, definition_changed_at in done:
        set_committed_value(by_id[task], "version", version)
        set_committed_value(by_id[task], "definition_changed_at", definition_changed_at)


def changed_columns(row: TaskRow) -> set[str]:
    """The names of what was changed of a task that is not written yet."""
    return {attribute.key for attribute in inspect(row).attrs if attribute.history.has_changes()}


def known_tasks(session: Session, crontab_row: int, *, lock: bool = False) -> dict[UUID, KnownTask]:
    """Every task that has, had or wants an entry, by its tag."""
    query = (
        select(
            TaskRow.tag,
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
        .where(TaskRow.crontab_row == crontab_row, TaskRow.tag.is_not(None))
        .order_by(TaskRow.id)
    )
    rows = session.execute(_locking_tasks(query) if lock else query)
    return {
        tag: KnownTask(
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


def agreed(session: Session, crontab_row: int) -> dict[UUID, BaseEntry]:
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
            BaseRow.above,
        ).where(BaseRow.crontab_row == crontab_row)
    )
    return {
        tag: BaseEntry(
            Fields(name, schedule, command, paused, from_dict(kept)), comment, ours, tuple(above)
        )
        for tag, name, schedule, command, paused, kept, comment, ours, above in rows
    }


def move_base(session: Session, crontab_row: int, base: Mapping[UUID, BaseEntry | None]) -> None:
    """Record what both sides now agree on; None where there is no entry any more."""
    gone = [tag for tag, value in base.items() if value is None]
    if gone:
        session.execute(delete(BaseRow).where(BaseRow.tag.in_(gone)))
    kept = [(tag, value) for tag, value in base.items() if value is not None]
    if kept:
        session.execute(
            _MOVE_BASE,
            {
                "crontab": crontab_row,
                "tags": [tag for tag, _ in kept],
                "names": [value.fields.name for _, value in kept],
                "schedules": [value.fields.schedule for _, value in kept],
                "commands": [value.fields.command for _, value in kept],
                "paused": [value.fields.paused for _, value in kept],
                "recordings": [_json(value.fields.recording.as_dict()) for _, value in kept],
                "comments": [value.comment for _, value in kept],
                "ours": [value.comment_is_ours for _, value in kept],
                "above": [_json(value.above) for _, value in kept],
            },
        )


# One statement, however many entries: row by row, a thousand take four times as long.
_MOVE_BASE = text("""
    insert into sync_base
        (crontab, tag, name, schedule, command, paused, recording, comment, comment_is_ours, above)
    select
        :crontab, tag, name, schedule, command, paused, recording, comment, ours,
        array(select jsonb_array_elements_text(above))
    from unnest(
        cast(:tags as uuid[]), cast(:names as text[]), cast(:schedules as text[]),
        cast(:commands as text[]), cast(:paused as bool[]), cast(:recordings as jsonb[]),
        cast(:comments as text[]), cast(:ours as bool[]), cast(:above as jsonb[])
    ) as base(tag, name, schedule, command, paused, recording, comment, ours, above)
    on conflict (crontab, tag) do update set
        name = excluded.name, schedule = excluded.schedule,
        command = excluded.command, paused = excluded.paused, recording = excluded.recording,
        comment = excluded.comment, comment_is_ours = excluded.comment_is_ours,
        above = excluded.above
""")


def places(session: Session, dialect: Dialect) -> dict[UUID, Place]:
    """Where the entries stood that were ever taken out of this crontab."""
    rows = session.execute(
        select(PlaceRow.tag, PlaceRow.text, PlaceRow.line, PlaceRow.comment_is_ours)
    )
    return {
        tag: Place(parse(decode(text), dialect), line, comment_is_ours=ours)
        for tag, text, line, ours in rows
    }


def keep_places(session: Session, crontab_row: int, kept: Mapping[UUID, Place]) -> None:
    """Remember where entries stood that are taken out now."""
    if not kept:
        return
    statement = insert(PlaceRow)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[PlaceRow.crontab_row, PlaceRow.tag],
            set_={name: statement.excluded[name] for name in ("text", "line", "comment_is_ours")},
        ),
        [
            {
                "crontab_row": crontab_row,
                "tag": tag,
                "text": encode(str(place.document)),
                "line": place.index,
                "comment_is_ours": place.comment_is_ours,
            }
            for tag, place in kept.items()
        ],
    )


def newest_with(
    session: Session, crontab_row: int, tags: Collection[UUID], dialect: Dialect
) -> dict[UUID, Document]:
    """For each tag the newest kept crontab that has its entry; none where no recent one does."""
    missing = set(tags)
    newest: dict[UUID, Document] = {}
    if not missing:
        return newest
    snapshots = session.scalars(
        select(SnapshotRow.bytes)
        .where(SnapshotRow.crontab_row == crontab_row)
        .order_by(SnapshotRow.id.desc())
        .limit(10)
    )
    for data in snapshots:
        document = parse(decode(data or b""), dialect)
        newest |= dict.fromkeys(missing & document.by_tag.keys(), document)
        missing -= newest.keys()
    return newest


def _json(value: dict[str, Any] | Sequence[str] | None) -> str | None:
    return None if value is None else json.dumps(value)


def pull(
    session: Session,
    crontab_row: int,
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
                crontab_row=crontab_row,
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


_OPEN_CONFLICTS = "open conflicts"


def keep_conflicts(
    session: Session, conflicts: Collection[Change], only: Collection[UUID] | None
) -> bool:
    """Keep what waits for a choice, of all tags or of some; True when that is news."""
    row = session.get(StateRow, _OPEN_CONFLICTS)
    before: dict[str, Any] = row.value if row else {}
    now = {str(change.tag): change.fingerprint for change in conflicts}
    if only is not None:
        now = {tag: value for tag, value in before.items() if UUID(tag) not in only} | now
    if now == before:
        return False
    session.merge(StateRow(key=_OPEN_CONFLICTS, value=now, updated_at=clock.now()))
    return True


def mark_synced(session: Session, crontab_row: int, at: datetime) -> None:
    """Keep that a sync went well, in the row that it has locked: one that is quiet adds none."""
    session.execute(update(CrontabRow).where(CrontabRow.id == crontab_row).values(synced_at=at))


def last_sync(session: Session, crontab_row: int) -> datetime | None:
    """When a sync last went well."""
    return session.scalar(select(CrontabRow.synced_at).where(CrontabRow.id == crontab_row))


def mark_failed(session: Session, failures: Mapping[int, str]) -> bool:
    """Keep why each task could not be written; True when that is news."""
    if not failures:
        return False
    done = session.execute(
        _MARK_FAILED, {"tasks": list(failures), "reasons": list(failures.values())}
    )
    return done.first() is not None


_MARK_FAILED = text("""
    update tasks set sync_error = reason, synced_to_crontab = false
    from unnest(cast(:tasks as int[]), cast(:reasons as text[])) as failures (task, reason)
    where tasks.id = task and sync_error is distinct from reason
    returning tasks.id
""")


def take_snapshot(
    session: Session, crontab_row: int, text: str | None, reason: str, entries: int
) -> int:
    """Keep a text, unless it is the newest one kept already. Returns the snapshot's id."""
    newest = session.execute(
        select(SnapshotRow.id, SnapshotRow.sha256)
        .where(SnapshotRow.crontab_row == crontab_row)
        .order_by(SnapshotRow.id.desc())
        .limit(1)
    ).first()
    if newest and newest.sha256 == digest(text):
        return int(newest.id)
    row = SnapshotRow(
        crontab_row=crontab_row,
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


def earlier_texts(session: Session, crontab_row: int, text: str | None) -> list[Earlier] | None:
    """The newest texts that a crontab written by others may have been made from, newest first.

    The last of them may be any older one, if it is that very text. None when nobody else wrote: the
    text is the newest that is kept.
    """
    mine = SnapshotRow.crontab_row == crontab_row
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


def last_write(session: Session, crontab_row: int) -> datetime | None:
    """When PiTasker's newest text of the crontab was installed; None without one."""
    return session.scalar(
        select(SnapshotRow.taken_at)
        .where(SnapshotRow.crontab_row == crontab_row, SnapshotRow.reason != "found")
        .order_by(SnapshotRow.id.desc())
        .limit(1)
    )


def snapshots(session: Session, crontab_row: int, limit: int) -> list[Snapshot]:
    """The newest snapshots, newest first."""
    rows = session.execute(
        select(*_LISTED)
        .where(SnapshotRow.crontab_row == crontab_row)
        .order_by(SnapshotRow.id.desc())
        .limit(limit)
    )
    return [Snapshot(*row) for row in rows]


def snapshot(session: Session, crontab_row: int, number: int) -> SnapshotText:
    """One snapshot of this crontab; NotFound when there is none with this id."""
    row = session.execute(
        select(*_LISTED, SnapshotRow.bytes).where(
            SnapshotRow.crontab_row == crontab_row, SnapshotRow.id == number
        )
    ).first()
    if row is None:
        raise NotFound(
            f"There is no snapshot {number}.", Text(Code("./pitasker snapshots"), " lists them.")
        )
    listed, data = Snapshot(*row[:-1]), row[-1]
    return SnapshotText(**vars(listed), text=None if data is None else decode(data))


# Without the text: a list of a hundred may be megabytes.
_LISTED = (
    SnapshotRow.id,
    SnapshotRow.taken_at,
    SnapshotRow.reason,
    SnapshotRow.entries,
    SnapshotRow.sha256,
    func.coalesce(func.octet_length(SnapshotRow.bytes), 0),
)


def task_counts(session: Session, crontab_row: int) -> tuple[int, int, int]:
    """How many tasks there are, how many of them are system-managed, and of those paused."""
    managed = TaskRow.is_system_managed
    row = session.execute(
        select(
            func.count(),
            func.count().filter(managed),
            func.count().filter(and_(managed, TaskRow.paused)),
        ).where(TaskRow.deleted_at.is_(None), TaskRow.crontab_row == crontab_row)
    ).one()
    return row[0], row[1], row[2]


def database_only(session: Session) -> list[int]:
    """The tasks that are not to be in the crontab."""
    rows = session.scalars(
        select(TaskRow.id)
        .where(TaskRow.deleted_at.is_(None), ~TaskRow.is_system_managed)
        .order_by(TaskRow.id)
    )
    return [*rows]


def record(session: Session, **columns: Any) -> int:
    """Record an operation; returns its id."""
    row = OperationRow(**columns)
    session.add(row)
    session.flush()
    return row.id


def failed_last_by(session: Session, crontab_row: int, code: str, message: str) -> bool:
    """Whether the newest operation failed by this very error."""
    newest = session.execute(
        select(OperationRow.error_code, OperationRow.error_message)
        .where(OperationRow.crontab_row == crontab_row)
        .order_by(OperationRow.id.desc())
        .limit(1)
    ).first()
    return newest is not None and tuple(newest) == (code, message)
