"""The base, which is what both sides last agreed on, and the old places of removed entries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Json
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core.crontab.document import decode, encode, parse, tag_of
from pitasker_core.crontab.place import Place
from pitasker_core.crontab.recording import PLAIN, from_dict
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.database import direct
from pitasker_core.database.direct import Statement
from pitasker_core.database.tables import PlaceRow
from pitasker_core.sync.merge import Fields
from pitasker_core.sync.sides import BaseEntry


@dataclass(frozen=True)
class BaseMove:
    """The new base of some tags, and which tasks are in step after it."""

    base: Mapping[UUID, BaseEntry | None]
    """None: neither side has an entry any more."""
    synced: Mapping[int, bool] = field(default_factory=dict)
    """For each task, whether both sides have its entry."""

    def __bool__(self) -> bool:
        return bool(self.base or self.synced)


def load_base(session: Session, crontab_row: int) -> dict[UUID, BaseEntry]:
    """Return what both sides last agreed on, by tag."""
    return base_of(direct.execute(session, LOAD_BASE, {"crontab": crontab_row}))


def base_of(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, BaseEntry]:
    """Return the entries of the rows of `LOAD_BASE`, by tag."""
    return {
        tag_of(tag): BaseEntry(
            Fields(
                name,
                schedule,
                command,
                paused,
                PLAIN if recording is None else from_dict(recording),
            ),
            comment,
            is_ours,
            tuple(above),
        )
        for tag, name, schedule, command, paused, recording, comment, is_ours, above in rows
    }


LOAD_BASE = """
    select cast(tag as text), name, schedule, command, paused, recording, comment, comment_is_ours,
        above
    from sync_base where crontab = %(crontab)s
"""


def move_base(session: Session, crontab_row: int, move: BaseMove, at: datetime) -> None:
    """Write the new base and mark the tasks, in one statement for any number of entries."""
    if move:
        direct.execute(session, *base_statement(crontab_row, move, at))


def base_statement(crontab_row: int, move: BaseMove, at: datetime) -> Statement:
    """Return the statement of `move_base`."""
    return (
        _MOVE_BASE,
        {
            "crontab": crontab_row,
            "at": at,
            "removed": [tag for tag, entry in move.base.items() if entry is None],
            "entries": Json(
                [
                    without_defaults(
                        {
                            **entry.fields.as_dict(),
                            "tag": str(tag),
                            "comment": entry.comment,
                            "ours": entry.comment_is_ours,
                            "above": entry.above,
                        }
                    )
                    for tag, entry in move.base.items()
                    if entry is not None
                ]
            ),
            "synced": Json(dict(move.synced)),
        },
    )


def without_defaults(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for PostgreSQL without nulls, false and empty lists.

    It reads each value that is sent, and that takes longer than to write the row.
    """
    return {name: value for name, value in row.items() if value or value == ""}


_MOVE_BASE = """
    with removed as (
        delete from sync_base where tag = any(cast(%(removed)s as uuid[]))
    ), moved as (
        insert into sync_base (
            crontab, tag, name, schedule, command, paused, recording, comment, comment_is_ours,
            above
        )
        select %(crontab)s, tag, name, schedule, command, coalesce(paused, false), recording,
            comment, coalesce(ours, false), coalesce(above, '{}')
        from json_to_recordset(%(entries)s) as base (
            tag uuid, name text, schedule text, command text, paused bool, recording jsonb,
            comment text, ours bool, above text[]
        )
        on conflict (crontab, tag) do update set
            name = excluded.name, schedule = excluded.schedule,
            command = excluded.command, paused = excluded.paused, recording = excluded.recording,
            comment = excluded.comment, comment_is_ours = excluded.comment_is_ours,
            above = excluded.above
    )
    update tasks set
        synced_to_crontab = marked.synced,
        crontab_synced_at = case
            when marked.synced then cast(%(at)s as timestamptz) else crontab_synced_at
        end,
        sync_error = null
    from (
        select cast(key as int) as task, cast(value as bool) as synced
        from json_each_text(%(synced)s)
    ) as marked
    where tasks.id = marked.task
"""


def load_places(session: Session, dialect: Dialect) -> dict[UUID, Place]:
    """Return the old places of the entries that were ever removed from this crontab."""
    rows = session.execute(
        select(PlaceRow.tag, PlaceRow.text, PlaceRow.line, PlaceRow.comment_is_ours)
    )
    return {
        tag: Place(parse(decode(data), dialect), line, comment_is_ours=is_ours)
        for tag, data, line, is_ours in rows
    }


def save_places(session: Session, crontab_row: int, places: Mapping[UUID, Place]) -> None:
    """Remember the places of entries that are removed now."""
    if not places:
        return
    statement = insert(PlaceRow).values(
        [
            {
                "crontab_row": crontab_row,
                "tag": tag,
                "text": encode(str(place.document)),
                "line": place.index,
                "comment_is_ours": place.comment_is_ours,
            }
            for tag, place in places.items()
        ]
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[PlaceRow.crontab_row, PlaceRow.tag],
            set_={name: statement.excluded[name] for name in ("text", "line", "comment_is_ours")},
        )
    )
