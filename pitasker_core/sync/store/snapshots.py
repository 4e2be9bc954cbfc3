"""Snapshots: the exact bytes of the crontab at a time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pitasker_core.base import clock
from pitasker_core.base.errors import NotFound
from pitasker_core.base.text import marked
from pitasker_core.crontab.document import Document, decode, encode, parse
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.database import direct
from pitasker_core.database.direct import Statement
from pitasker_core.database.tables import SnapshotRow
from pitasker_core.sync.install import digest
from pitasker_core.sync.store.crontab_rows import SyncState
from pitasker_core.sync.store.operations import OperationKind

BY_OTHERS: Final = "found"
"""The reason of a snapshot of a text that another program wrote."""


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


def take_snapshot(
    session: Session,
    crontab_row: int,
    crontab_text: str | None,
    reason: OperationKind | Literal["found"],
    entries: int,
) -> int:
    """Save a text, unless it is the newest snapshot already. Return the snapshot's id."""
    statement = snapshot_statement(crontab_row, crontab_text, reason, entries)
    ((number,),) = direct.execute(session, *statement)
    return int(number)


def snapshot_statement(
    crontab_row: int,
    crontab_text: str | None,
    reason: OperationKind | Literal["found"],
    entries: int,
) -> Statement:
    """Return the statement of `take_snapshot`. Then the text is that of the newest snapshot."""
    values = {
        "crontab": crontab_row,
        "taken_at": clock.now(),
        "sha256": digest(crontab_text),
        "bytes": None if crontab_text is None else encode(crontab_text),
        "reason": reason,
        "entries": entries,
    }
    return _TAKE_SNAPSHOT, values


_TAKE_SNAPSHOT = """
    with newest as (
        select id, sha256 from snapshots where crontab = %(crontab)s order by id desc limit 1
    ), added as (
        insert into snapshots (crontab, taken_at, sha256, bytes, reason, entries)
        select %(crontab)s, cast(%(taken_at)s as timestamptz), %(sha256)s,
            cast(%(bytes)s as bytea), %(reason)s, %(entries)s
        where not exists (select from newest where sha256 = %(sha256)s)
        returning id
    )
    select id from added union all select id from newest where sha256 = %(sha256)s
"""


@dataclass(frozen=True)
class Earlier:
    """The text of a snapshot. `is_old`: PiTasker has written another text since."""

    text: str | None
    is_old: bool


TEXTS_COMPARED = 100
"""The number of newest snapshots searched for the origin of a text that others wrote."""


def earlier_texts(
    session: Session, crontab_row: int, crontab_text: str | None, state: SyncState
) -> list[Earlier]:
    """Return the newest texts that may be the origin of a crontab that others wrote, newest first.

    The last one may be any older snapshot with the same text.
    """
    if state.snapshot is None:
        return []
    sha256 = digest(crontab_text)
    mine = SnapshotRow.crontab_row == crontab_row
    columns = select(SnapshotRow.id, SnapshotRow.bytes).where(mine).order_by(SnapshotRow.id.desc())
    rows = [*session.execute(columns.limit(TEXTS_COMPARED))]
    same = session.execute(columns.where(SnapshotRow.sha256 == sha256).limit(1)).first()
    if same and same.id < rows[-1].id:
        rows.append(same)
    written = session.scalar(
        select(func.max(SnapshotRow.id)).where(mine, SnapshotRow.reason != BY_OTHERS)
    )
    return [
        Earlier(None if row.bytes is None else decode(row.bytes), row.id < (written or 0))
        for row in rows
    ]


def last_write(session: Session, crontab_row: int) -> datetime | None:
    """Return when PiTasker installed its newest text; None when it never did."""
    return session.scalar(
        select(SnapshotRow.taken_at)
        .where(SnapshotRow.crontab_row == crontab_row, SnapshotRow.reason != BY_OTHERS)
        .order_by(SnapshotRow.id.desc())
        .limit(1)
    )


def newest_with(
    session: Session, crontab_row: int, tags: Collection[UUID], dialect: Dialect
) -> dict[UUID, Document]:
    """Return the newest snapshot with an entry of each tag, searching the ten newest."""
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


def snapshots(session: Session, crontab_row: int, limit: int) -> list[Snapshot]:
    """Return the newest snapshots, newest first."""
    rows = session.execute(
        select(*_LISTED)
        .where(SnapshotRow.crontab_row == crontab_row)
        .order_by(SnapshotRow.id.desc())
        .limit(limit)
    )
    return [Snapshot(*row) for row in rows]


def snapshot(session: Session, crontab_row: int, number: int) -> SnapshotText:
    """Return one snapshot. Raises NotFound."""
    row = session.execute(
        select(*_LISTED, SnapshotRow.bytes).where(
            SnapshotRow.crontab_row == crontab_row, SnapshotRow.id == number
        )
    ).first()
    if row is None:
        raise NotFound(
            f"There is no snapshot {number}.", marked("`./pitasker snapshots` lists them.")
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
