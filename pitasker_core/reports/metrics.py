"""How sync has been doing, in numbers."""

from dataclasses import dataclass

from sqlalchemy import func, select

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import OperationRow
from pitasker_core.reports.status import Status, status
from pitasker_core.sync import store


@dataclass(frozen=True)
class Metrics:
    """All operations on this crontab, and where it stands. `average_ms` in milliseconds."""

    total: int
    successful: int
    failed: int
    average_ms: float | None
    status: Status


def metrics(environment: Environment) -> Metrics:
    """The numbers now."""
    with database.session(environment) as session:
        total, failed, average = session.execute(
            select(
                func.count(),
                func.count().filter(OperationRow.outcome == "failed"),
                func.avg(OperationRow.duration_ms),
            ).where(OperationRow.crontab_row == store.own_crontab(session))
        ).one()
    return Metrics(total, total - failed, failed, average, status(environment))
