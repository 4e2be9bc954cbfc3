"""Missed runs in the database: the data to find them, and the rows of those found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from pitasker_core.base import clock
from pitasker_core.crontab.document import Document, decode, parse
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.crontab.zones import own_zone
from pitasker_core.database import notices
from pitasker_core.database.tables import (
    EventRow,
    OperationRow,
    RunRow,
    SnapshotRow,
    StateRow,
    TaskRow,
)
from pitasker_core.runs.cron_log import observed
from pitasker_core.runs.missed.definitions import Definition, Observation
from pitasker_core.runs.missed.detection import Gap, sentence
from pitasker_core.runs.missed.offline_periods import Sign
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.sync.store import BY_OTHERS

_BY_CRON = (RunSource.OBSERVED, RunSource.RECORDED)


@dataclass(frozen=True, slots=True)
class Judged:
    """A task to check for missed runs."""

    id: int
    name: str
    tag: UUID


def _key(crontab_row: int) -> str:
    return f"missed:{crontab_row}"


def mark(session: Session, crontab_row: int) -> datetime | None:
    """The time up to which all tasks were checked; None if nothing was saved."""
    row = session.get(StateRow, _key(crontab_row))
    return datetime.fromisoformat(row.value["judged"]) if row else None


def keep_mark(session: Session, crontab_row: int, judged: datetime) -> None:
    """Save the time up to which all tasks were checked."""
    value = {"judged": judged.isoformat()}
    session.merge(StateRow(key=_key(crontab_row), value=value, updated_at=clock.now()))


def last_sign(
    session: Session, crontab_row: int, booted_at: datetime, sign: Sign | None
) -> Sign | None:
    """The last known sign of life before this boot."""
    if sign is None or sign.stopped:
        return sign
    last = [sign.at]
    for column, mine in (
        (
            RunRow.started_at,
            and_(RunRow.crontab_row == crontab_row, RunRow.source != RunSource.MISSED),
        ),
        (OperationRow.started_at, OperationRow.crontab_row == crontab_row),
    ):
        query = select(column).where(mine, column < booted_at)
        if (at := session.scalar(query.order_by(column.desc()).limit(1))) is not None:
            last.append(at)
    return Sign(max(last), stopped=False)


def tasks(session: Session, crontab_row: int) -> Iterator[Judged]:
    """The tasks that can have an entry in the crontab."""
    rows = session.execute(
        select(TaskRow.id, TaskRow.name, TaskRow.tag)
        .where(
            TaskRow.crontab_row == crontab_row,
            TaskRow.tag.is_not(None),
            TaskRow.deleted_at.is_(None),
        )
        .order_by(TaskRow.name, TaskRow.id)
    )
    return (Judged(number, name, tag) for number, name, tag in rows if tag)


def newest_snapshot(session: Session, crontab_row: int) -> tuple[int, str] | None:
    """The id and digest of the newest snapshot."""
    query = select(SnapshotRow.id, SnapshotRow.sha256).where(SnapshotRow.crontab_row == crontab_row)
    row = session.execute(query.order_by(SnapshotRow.id.desc()).limit(1)).first()
    return (row.id, row.sha256) if row else None


def observations(
    session: Session, crontab_row: int, since: datetime, dialect: Dialect
) -> list[Observation]:
    """The contents of the crontab since a time, oldest first, with the one in force then."""
    mine = SnapshotRow.crontab_row == crontab_row
    first = (
        select(func.max(SnapshotRow.id))
        .where(mine, SnapshotRow.taken_at <= since)
        .scalar_subquery()
    )
    rows = session.execute(
        select(SnapshotRow.taken_at, SnapshotRow.reason, SnapshotRow.bytes)
        .where(mine, SnapshotRow.id >= func.coalesce(first, 0))
        .order_by(SnapshotRow.id)
    )
    return [
        Observation(at, reason != BY_OTHERS, _definitions(decode(text or b""), dialect))
        for at, reason, text in rows
    ]


def _definitions(text: str, dialect: Dialect) -> dict[UUID, Definition]:
    """The definition of each task in this text. If a tag was copied, the first entry counts."""
    document = parse(text, dialect)
    active = [(at, entry) for at, entry in document.entries() if entry.tag and not entry.paused]
    return {
        entry.tag: Definition(entry.meaning, entry.recording.on, _own_zone(document, at))
        for at, entry in reversed(active)
        if entry.tag
    }


def _own_zone(document: Document, index: int) -> ZoneInfo | None:
    if not document.dialect.is_cronie:
        return None
    return own_zone(document.environment(index), document.dialect)


def edits(session: Session, since: datetime) -> list[datetime]:
    """When other programs changed the crontab, from cron's log, ascending."""
    query = select(EventRow.at).where(
        EventRow.actor.in_(observed.ACTORS),
        EventRow.kind.in_(observed.CHANGES),
        EventRow.at > since,
    )
    return list(session.scalars(query.order_by(EventRow.at)))


def starts(session: Session, task: int, since: datetime) -> list[datetime]:
    """When cron started a task, ascending."""
    query = select(RunRow.started_at).where(
        RunRow.task == task, RunRow.started_at >= since, RunRow.source.in_(_BY_CRON)
    )
    return list(session.scalars(query.order_by(RunRow.started_at)))


def recorded_misses(
    session: Session, task: int, since: datetime
) -> list[tuple[datetime, datetime]]:
    """The periods that are already recorded as missed."""
    query = select(RunRow.started_at, RunRow.ended_at).where(
        RunRow.task == task, RunRow.source == RunSource.MISSED, RunRow.ended_at >= since
    )
    return [(first, last) for first, last in session.execute(query) if last]


def note_late_start(session: Session, task: int, at: datetime, start: datetime) -> None:
    """Note that a run started late, unless it has another note."""
    minutes = round((start - at) / timedelta(minutes=1))
    session.execute(
        update(RunRow)
        .where(RunRow.task == task, RunRow.started_at == start, RunRow.note == "")
        .where(RunRow.state.in_((RunState.STARTED, RunState.SUCCESS)))
        .values(note=f"started {minutes} min late")
        .execution_options(synchronize_session=False)
    )


def write(session: Session, crontab_row: int, task: int, gap: Gap) -> int | None:
    """Record a gap. Returns the new run's id, or None if it extends an earlier gap."""
    first, last = gap.times[0], gap.times[-1]
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == task, or_(TaskRow.last_run.is_(None), TaskRow.last_run < last))
        .values(status=RunState.MISSED)
        .execution_options(synchronize_session=False)
    )
    mine = RunRow.task == task
    query = select(RunRow).where(mine, RunRow.started_at < first)
    before = session.scalar(query.order_by(RunRow.started_at.desc()).limit(1))
    if before and before.source == RunSource.MISSED and before.note == gap.note:
        before.ended_at = last
        before.missed += len(gap.times)
        return None
    name = f"missed:{task}:{int(first.timestamp())}"
    # The index of names begins with the crontab.
    same = RunRow.crontab_row == crontab_row, RunRow.name == name
    if session.scalar(select(RunRow.id).where(*same)) is not None:
        return None
    row = RunRow(
        crontab_row=crontab_row,
        task=task,
        name=name,
        source=RunSource.MISSED,
        started_at=first,
        ended_at=last,
        missed=len(gap.times),
        note=gap.note,
    )
    session.add(row)
    session.flush()
    return row.id


def add_notice(
    session: Session, crontab_row: int, note: str, missed: Sequence[tuple[Judged, int]]
) -> None:
    """Add one notice for all tasks that missed runs for one reason."""
    message = sentence(note, [task.name for task, _ in missed])
    alone = missed[0] if len(missed) == 1 else None
    task, run = (alone[0].id, alone[1]) if alone else (None, None)
    notices.add(session, crontab_row, notices.NoticeKind.MISSED, message, task, run)
