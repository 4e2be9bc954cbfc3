"""Notices and pings caused by a newly imported run."""

from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from pitasker_core.database import notices
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs.exit_codes import in_words
from pitasker_core.runs.model import RunState

START, SUCCESS, FAIL = "start", "success", "fail"
"""The phases of a run that a monitor is pinged about."""

_WENT_WELL, _FAILED = RunState.SUCCESS, RunState.FAILED


def add(session: Session, run: int, values: dict[str, Any], state: str, *, is_new: bool) -> None:
    """Add the notice and pings of a run in the transaction that writes its row.

    `is_new`: the row was inserted. `state` is `RunRow.state`.
    """
    is_over = state in (_WENT_WELL, _FAILED)
    if is_over:
        _notice(session, run, values, state)
    phases = [START] if is_new else []
    if is_over:
        phases.append(SUCCESS if state == _WENT_WELL else FAIL)
    task = session.execute(select(TaskRow.ping_url).where(TaskRow.id == values["task"])).one()
    if phases and task.ping_url:
        waiting = func.coalesce(RunRow.pings, array([], type_=Text))
        more = func.array_cat(waiting, array(phases), type_=ARRAY(Text))
        session.execute(
            update(RunRow)
            .where(RunRow.id == run)
            .values(pings=more)
            .execution_options(synchronize_session=False)
        )


def _notice(session: Session, run: int, values: dict[str, Any], state: str) -> None:
    if state == _FAILED:
        reason = values["note"] or in_words(state, values["exit_code"], values["signal"])
        kind, message = NoticeKind.FAILED, f"{reason[0].upper()}{reason[1:]}."
    elif _state_before(session, values) == _FAILED:
        kind, message = NoticeKind.RECOVERED, "It succeeded again after a failure."
    else:
        return
    notices.add(session, values["crontab_row"], kind, message, values["task"], run)


def _state_before(session: Session, values: dict[str, Any]) -> str | None:
    """The state of the task's previous ended run."""
    return session.scalar(
        select(RunRow.state)
        .where(RunRow.task == values["task"], RunRow.started_at < values["started_at"])
        .where(RunRow.state.in_((_WENT_WELL, _FAILED)))
        .order_by(RunRow.started_at.desc())
        .limit(1)
    )
