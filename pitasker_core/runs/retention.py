from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, tuple_, update

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow
from pitasker_core.runs.model import RunState
from pitasker_core.sync import store

_DELETED_AT_ONCE = 5_000
_READ_AT_ONCE = 10_000
"""Rows of one statement. Smaller statements let others go on in between."""


def prune(environment: Environment, days: int, megabytes: int) -> None:
    """Delete runs older than some days, and the oldest output beyond some megabytes.

    A run whose output is deleted stays, with the output's size. Raises DatabaseError.
    """
    _forget_runs(environment, clock.now() - timedelta(days=days))
    _forget_outputs(environment, megabytes * 1_000_000)


def _forget_runs(environment: Environment, before: datetime) -> None:
    count = _DELETED_AT_ONCE
    while count == _DELETED_AT_ONCE:
        with database.session(environment) as session:
            crontab_row = store.own_crontab(session)
            # A run that is going on would be imported again.
            old = select(RunRow.id).where(
                RunRow.crontab_row == crontab_row,
                RunRow.started_at < before,
                RunRow.state != RunState.RUNNING,
            )
            old = old.order_by(RunRow.started_at).limit(_DELETED_AT_ONCE)
            gone = session.scalars(delete(RunRow).where(RunRow.id.in_(old)).returning(RunRow.id))
            count = len(gone.all())


def _forget_outputs(environment: Environment, room: int) -> None:
    """Delete output from the newest run to the oldest, until all older runs have none."""
    size = func.octet_length(RunRow.output)
    place = tuple_(RunRow.started_at, RunRow.id)
    query = select(RunRow.id, RunRow.started_at, size.label("size"))
    query = query.order_by(RunRow.started_at.desc(), RunRow.id.desc()).limit(_READ_AT_ONCE)
    page = query
    while True:
        with database.session(environment) as session:
            crontab_row = store.own_crontab(session)
            rows = session.execute(page.where(RunRow.crontab_row == crontab_row)).all()
            forgotten = []
            for row in rows:
                room -= row.size or 0
                if room < 0 and row.size:
                    forgotten.append(row.id)
            if forgotten:
                session.execute(update(RunRow).where(RunRow.id.in_(forgotten)).values(output=None))
        if len(rows) < _READ_AT_ONCE or (room < 0 and not any(row.size for row in rows)):
            return
        page = query.where(place < (rows[-1].started_at, rows[-1].id))
