"""How sync has been doing, in numbers."""

from dataclasses import dataclass

from sqlalchemy import func, select

from pitasker_core import database
from pitasker_core.database.tables import OperationRow
from pitasker_core.settings import Settings
from pitasker_core.status import Status, status
from pitasker_core.sync import store


@dataclass(frozen=True)
class Metrics:
    """All operations on this crontab, and where it stands. `average_ms` in milliseconds."""

    total: int
    successful: int
    failed: int
    average_ms: float | None
    status: Status


def metrics(settings: Settings) -> Metrics:
    """The numbers now."""
    with database.session(settings) as session:
        total, failed, average = session.execute(
            select(
                func.count(),
                func.count().filter(OperationRow.outcome == "failed"),
                func.avg(OperationRow.duration_ms),
            ).where(OperationRow.crontab == store.own_crontab(session))
        ).one()
    return Metrics(total, total - failed, failed, average, status(settings))
