"""Tell outside monitors, such as healthchecks, of runs: a URL is called, and no more.

For a task with the ping URL U: `U/start` when a run was seen to have started, `U` when it went
well, `U/fail` when it failed. Each is called once. One that does not answer is tried again with
every round, until it is too late: a monitor would take it for a run of now.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import select, update

from pitasker_core import database
from pitasker_core.base import clock, parallel
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs.run_events import SUCCESS
from pitasker_core.sync import store

TOO_LATE = timedelta(minutes=30)
"""After this a monitor is not told any more."""

_SECONDS = 5.0
"""How long one may take to answer."""
_MOST_HOPS = 3
"""Addresses of the same host that a monitor may lead to, such as from http to https."""
_ROUND = 20.0
"""How long all together may."""
_AT_ONCE = 50
"""Runs of one round."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Run:
    """A run, what its monitor is still to be told, and how far that went."""

    id: int
    task: int
    url: str
    phases: list[str]
    seen: datetime
    problem: str = ""
    told: list[str] = field(default_factory=list)


def send(environment: Environment, now: datetime | None = None) -> int:
    """Call what waits to be called; the number of calls that were answered.

    Monitors that do not answer are logged, and harm nothing. Raises DatabaseError.
    """
    now = now or clock.now()
    waiting = _waiting(environment)
    due = [run for run in waiting if run.url and run.seen > now - TOO_LATE]
    parallel.run([partial(_tell, run) for run in due], _ROUND)
    for run in due:
        left = run.phases[len(run.told) :]  # counted now: one that hangs may answer yet
        if run.problem:
            _log.info("The monitor of task %s did not answer: %s", run.task, run.problem)
            left = left[-1:]  # how it ended counts more than that it started
        _leave(environment, run, left)
    for run in waiting:
        if run not in due:
            _log.warning("The monitor of task %s was not told of run %s.", run.task, run.id)
            _leave(environment, run, [])
    return sum(len(run.told) for run in due)


def address(url: str, phase: str) -> str:
    """What to call in a phase of a run."""
    if phase == SUCCESS:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{phase}"))


def _waiting(environment: Environment) -> list[_Run]:
    waits = RunRow.pings.is_not(None)
    with database.session(environment) as session:
        if session.scalar(select(RunRow.id).where(waits).limit(1)) is None:
            return []
        rows = session.execute(
            select(RunRow.id, RunRow.task, RunRow.pings, RunRow.started_at, RunRow.ended_at)
            .add_columns(TaskRow.ping_url)
            .join(TaskRow, TaskRow.id == RunRow.task)
            .where(waits, RunRow.crontab_row == store.own_crontab(session))
            .order_by(RunRow.id)
            .limit(_AT_ONCE)
        )
        return [
            _Run(row.id, row.task, row.ping_url, row.pings, row.ended_at or row.started_at)
            for row in rows
        ]


def _tell(run: _Run) -> None:
    for phase in run.phases:
        try:
            _call(address(run.url, phase))
        except Unanswered as problem:
            run.problem = str(problem)
            return
        run.told.append(phase)


class Unanswered(Exception):
    """A monitor that could not be told, and why."""


def _call(url: str) -> None:
    """Call a URL. Raises Unanswered after `_SECONDS`, however many bytes come until then."""
    import httpx

    try:
        asyncio.run(asyncio.wait_for(_get(url), _SECONDS))
    except TimeoutError:
        raise Unanswered(f"no answer within {_SECONDS:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
        raise Unanswered(str(problem) or type(problem).__name__) from problem


async def _get(url: str) -> None:
    import httpx

    first = here = httpx.URL(url)
    if first.scheme not in ("http", "https") or first.userinfo:
        raise Unanswered("a ping URL begins with http:// or https:// and holds no password")
    async with httpx.AsyncClient(headers={"User-Agent": "PiTasker"}, timeout=None) as client:  # noqa: S113 - there is one for the whole
        for _ in range(_MOST_HOPS + 1):
            async with client.stream("GET", here) as answer:  # its body is not read
                if answer.next_request is None:
                    answer.raise_for_status()
                    return
                there = answer.next_request.url
            # From where its owner has put it a monitor must not lead us into this network.
            if there.host != first.host or there.scheme not in (here.scheme, "https"):
                raise Unanswered(f"it leads to {there.scheme}://{there.host}, which is not called")
            here = there
    raise Unanswered("it leads from one address to the next without end")


def _leave(environment: Environment, run: _Run, left: list[str]) -> None:
    """Keep what is still to be told; what came meanwhile is at the end, and stays."""
    if left == run.phases:
        return
    with database.session(environment) as session:
        query = select(RunRow.pings).where(RunRow.id == run.id).with_for_update()
        came = (session.scalar(query) or [])[len(run.phases) :]
        session.execute(
            update(RunRow)
            .where(RunRow.id == run.id)
            .values(pings=[*left, *came] or None)
            .execution_options(synchronize_session=False)
        )
