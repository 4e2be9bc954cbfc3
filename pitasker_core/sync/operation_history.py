"""The history of operations: what was done, figures by day, and the same as CSV."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Date, cast, func, select

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.database.tables import OperationRow
from pitasker_core.sync import store
from pitasker_core.sync.operation_details import unpack_details


@dataclass(frozen=True)
class Operation:
    """One recorded execution of sync, import, export, restore or edit."""

    id: int
    kind: str
    actor: str
    started_at: datetime
    duration_ms: float
    outcome: str
    pushed: int
    pulled: int
    conflicts: int
    failed: int
    error_code: str | None
    error_message: str | None
    before: int | None
    after: int | None


@dataclass(frozen=True)
class OperationDetails(Operation):
    """One recorded execution, with what it did to each task."""

    details: dict[str, Any]


@dataclass(frozen=True)
class Day:
    """The operations of one day in the machine's zone: how many of each outcome, and the median
    of their durations in milliseconds."""

    day: date
    success: int
    partial: int
    failed: int
    median_ms: float

    @property
    def success_rate(self) -> float:
        """The share that did not fail, from 0 to 1. One that waits for a choice did not fail."""
        return 1 - self.failed / (self.success + self.partial + self.failed)


@dataclass(frozen=True)
class Counts:
    """How many tasks were in each state, and how many entries managed, after an operation."""

    at: datetime
    states: dict[str, int]
    entries: int
    managed: int


def operations(
    environment: Environment, limit: int = 50, since: datetime | None = None
) -> list[Operation]:
    """Return the newest operations on this crontab, newest first, without their details."""
    columns = [getattr(OperationRow, name) for name in Operation.__dataclass_fields__]
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        query = select(*columns).where(OperationRow.crontab_row == crontab_row)
        if since:
            query = query.where(OperationRow.started_at >= since)
        rows = session.execute(query.order_by(OperationRow.id.desc()).limit(limit))
        return [Operation(**row._mapping) for row in rows]


def operation(environment: Environment, number: int) -> OperationDetails:
    """Return one operation on this crontab. Raises NotFound."""
    columns = [getattr(OperationRow, name) for name in OperationDetails.__dataclass_fields__]
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        row = session.execute(
            select(*columns).where(
                OperationRow.crontab_row == crontab_row, OperationRow.id == number
            )
        ).first()
    if row is None:
        raise NotFound(f"There is no operation {number}.")
    return OperationDetails(**{**row._mapping, "details": unpack_details(row.details)})


def days(environment: Environment, since: datetime | None, zone: ZoneInfo) -> list[Day]:
    """Return the figures of each day that had operations, oldest first."""
    day = cast(func.timezone(zone.key or "UTC", OperationRow.started_at), Date)
    success, partial, failed = (
        func.count().filter(OperationRow.outcome == outcome) for outcome in store.Outcome
    )
    median = func.percentile_cont(0.5).within_group(OperationRow.duration_ms)
    with database.session(environment) as session:
        query = select(day, success, partial, failed, median).where(
            OperationRow.crontab_row == store.own_crontab(session)
        )
        if since:
            query = query.where(OperationRow.started_at >= since)
        rows = session.execute(query.group_by(day).order_by(day))
        return [Day(*row) for row in rows]


def counts(environment: Environment, since: datetime | None, limit: int = 1000) -> list[Counts]:
    """Return the numbers of tasks and entries after the newest operations, oldest first."""
    counted = OperationRow.details["counts"]
    with database.session(environment) as session:
        query = select(OperationRow.started_at, counted).where(
            OperationRow.crontab_row == store.own_crontab(session), counted.is_not(None)
        )
        if since:
            query = query.where(OperationRow.started_at >= since)
        rows = session.execute(query.order_by(OperationRow.id.desc()).limit(limit)).all()
    return [
        Counts(at, values["states"], values["entries"], values["managed"])
        for at, values in reversed(rows)
        if values
    ]


def as_csv(operations: Sequence[Operation]) -> str:
    """Operations as a table for a spreadsheet, in which no cell is a formula."""
    names = list(Operation.__dataclass_fields__)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for operation in operations:
        writer.writerow([_inert(getattr(operation, name)) for name in names])
    return out.getvalue()


def _inert(value: Any) -> Any:
    """A cell that a spreadsheet takes for text, as OWASP's "CSV Injection" has it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return value
