"""Recognise our crontab in the database by host and user, machine and tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from pitasker_core.base import identity
from pitasker_core.base.errors import PiTaskerError, UnknownCrontab
from pitasker_core.base.identity import Identity
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.program import CrontabProgram


@dataclass(frozen=True)
class Evidence:
    """The evidence for our crontab. `is_private`: the database belongs to this account alone. The
    installed crontab is read only if names do not decide."""

    us: Identity
    is_private: bool
    crontab_program: str

    def tags(self) -> set[UUID]:
        """The tags in the installed crontab; empty if it cannot be read."""
        try:
            document = parse(CrontabProgram(self.crontab_program).read() or "")
        except PiTaskerError:
            return set()
        return {*document.by_tag, *document.mentions}


class Standing(StrEnum):
    """The relation of a crontab in the database to us."""

    OURS = "ours"
    CANDIDATE = "may be ours"
    OTHER = "another's"


@dataclass(frozen=True)
class Known:
    """A crontab in the database. `why` is why it may be ours; empty for others."""

    id: int
    host: str
    user: str
    tasks: int
    standing: Standing
    why: str = ""

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


_Rows = Sequence[Row[Any]]


def recognise(connection: Connection, evidence: Evidence) -> int:
    """The id of our crontab. Adds a new one if no known crontab can be ours.

    Raises UnknownCrontab if a person must decide.
    """
    rows = _rows(connection)
    if ours := _ours(rows, evidence.us):
        if ours.machine is None and evidence.us.machine is not None:
            claim(connection, ours.id, evidence.us)
        return int(ours.id)
    if reasons := _reasons(connection, rows, evidence):
        row = min((row for row in rows if row.id in reasons), key=lambda row: _rank(row, reasons))
        name = f"{row.user}@{row.host}"
        raise UnknownCrontab(str(evidence.us), row.id, name, reasons[row.id])
    return add(connection, evidence.us)


def list_crontabs(connection: Connection, evidence: Evidence) -> list[Known]:
    """All crontabs in the database: ours first, or else those that may be ours."""
    rows = _rows(connection)
    ours = _ours(rows, evidence.us)
    reasons = {} if ours else _reasons(connection, rows, evidence)
    tasks: dict[int, int] = dict(connection.execute(_TASKS).all())

    def made(row: Row[Any]) -> Known:
        standing = Standing.CANDIDATE if row.id in reasons else Standing.OTHER
        if ours and row.id == ours.id:
            standing = Standing.OURS
        why = reasons.get(row.id, "")
        return Known(row.id, row.host, row.user, tasks.get(row.id, 0), standing, why)

    first = sorted(rows, key=lambda row: (not ours or row.id != ours.id, *_rank(row, reasons)))
    return [made(row) for row in first]


def claim(connection: Connection, crontab_row: int, us: Identity) -> None:
    """Make a known crontab ours: give it our host, user and machine."""
    connection.execute(
        text('update crontabs set host = :host, "user" = :user, machine = :machine where id = :id'),
        {"id": crontab_row, "host": us.host, "user": us.user, "machine": us.machine},
    )


def add(connection: Connection, us: Identity) -> int:
    """Add our crontab and return its id. Several processes may do this at once."""
    values = {"host": us.host, "user": us.user, "machine": us.machine}
    connection.execute(
        text("""
            insert into crontabs (host, "user", machine) values (:host, :user, :machine)
            on conflict do nothing
        """),
        values,
    )
    ours = text("""
        select id from crontabs where host = :host and "user" = :user
            and machine is not distinct from :machine
    """)
    return int(connection.execute(ours, values).scalar_one())


_TASKS = text("select crontab, count(*) from tasks where deleted_at is null group by crontab")

_OF_TAGS = text("""
    select crontab from sync_base where tag = any(:tags)
    union select crontab from tasks where crontab_id = any(:tags)
""")


def _rows(connection: Connection) -> _Rows:
    return connection.execute(
        text('select id, host, "user", machine from crontabs order by id')
    ).all()


def _ours(rows: _Rows, us: Identity) -> Row[Any] | None:
    """The crontab with our host and user. Its machine can be null: from an older version, or on a
    system without a machine id."""
    named = [row for row in rows if (row.host, row.user) == (us.host, us.user)]
    for machine in (us.machine, None):
        for row in named:
            if row.machine == machine:
                return row
    return named[0] if named and us.machine is None else None


def _reasons(connection: Connection, rows: _Rows, evidence: Evidence) -> dict[int, str]:
    """Why a crontab may be ours although its names differ, by id."""
    if not rows:
        return {}
    us = evidence.us
    tagged = set(connection.scalars(_OF_TAGS, {"tags": list(evidence.tags())}))
    reasons = {}
    for row in rows:
        same_machine = us.machine is not None and row.machine == us.machine
        if row.id in tagged:
            reasons[row.id] = _TAGGED
        elif same_machine and row.user == us.user:
            reasons[row.id] = "it has the same machine and user"
        elif same_machine and not identity.has_account(row.user):
            reasons[row.id] = f"it is from this machine, which no longer has the account {row.user}"
        elif (row.host, row.user) == (us.host, us.user):
            reasons[row.id] = "it has the same names, but is from another machine"
        elif evidence.is_private:
            reasons[row.id] = "it is in this account's own database"
    return reasons


_TAGGED = "this crontab has its tags"


def _rank(row: Row[Any], reasons: dict[int, str]) -> tuple[bool, bool, int]:
    """The order by likelihood: the one with our tags, then others that may be ours."""
    return reasons.get(row.id) != _TAGGED, row.id not in reasons, row.id
