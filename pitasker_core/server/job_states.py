from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.text import marked
from pitasker_core.database import notices
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import StateRow
from pitasker_core.sync import store


@dataclass(frozen=True)
class JobState:
    """The latest result of a job: since when it has been the same, and its message."""

    at: str
    ok: bool
    message: str


def listing(environment: Environment) -> dict[str, JobState]:
    """The latest result of each job."""
    with database.session(environment) as session:
        rows = session.scalars(select(StateRow).where(StateRow.key.like("job:%")))
        return {row.key.removeprefix("job:"): _job_state(row.value) for row in rows}


def _job_state(saved: dict[str, Any]) -> JobState:
    return JobState(saved["at"], saved["ok"], marked(saved["message"]))


def save(environment: Environment, name: str, ok: bool, message: str) -> None:
    """Save the result of a job if it changed. So a job that keeps succeeding writes nothing."""
    key = f"job:{name}"
    with database.session(environment) as session:
        row = session.get(StateRow, key)
        before: dict[str, Any] = row.value if row else {}
        if (before.get("ok", True), before.get("message", "")) != (ok, message):
            value = {"at": clock.now().isoformat(), "ok": ok, "message": message}
            session.merge(StateRow(key=key, value=value, updated_at=clock.now()))
            if name == "sync" and not ok:
                crontab_row = store.own_crontab(session)
                notices.add(session, crontab_row, NoticeKind.SYNC_FAILED, message)
