"""Ping outside monitors, such as healthchecks, about runs.

For a task with the ping URL U: `U/start` when a run started, `U` when it succeeded and `U/fail`
when it failed. Each is called once. A ping without an answer is retried in each round, but not for
long: the monitor would take a late ping for a current run.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from sqlalchemy import select, update

from pitasker_core import database
from pitasker_core.base import clock, parallel
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs.run_events import SUCCESS
from pitasker_core.sync import store

TOO_LATE = timedelta(minutes=30)
"""After this time a ping is dropped."""

_SECONDS = 5.0
"""The time limit of one call."""
_MOST_HOPS = 3
"""The maximum number of redirects, all on the same host, such as from http to https."""
_ROUND = 20.0
"""The time limit of all calls of a round."""
_AT_ONCE = 50
"""The maximum number of runs of a round."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Run:
    """A run with its pending pings and the progress of sending them."""

    id: int
    task: int
    url: str
    phases: list[str]
    seen: datetime
    problem: str = ""
    sent: list[str] = field(default_factory=list)


def send(environment: Environment, now: datetime | None = None) -> int:
    """Send the pending pings. Returns the number of answered calls.

    Monitors that do not answer are only logged. Raises DatabaseError.
    """
    now = now or clock.now()
    waiting = _waiting(environment)
    due = [run for run in waiting if run.url and run.seen > now - TOO_LATE]
    parallel.run([partial(_ping, run) for run in due], _ROUND)
    for run in due:
        pending = run.phases[len(run.sent) :]  # counted now: a slow one may still be answered
        if run.problem:
            _log.info("The monitor of task %s did not answer: %s", run.task, run.problem)
            pending = pending[-1:]  # the result matters more than the start
        _save_pending(environment, run, pending)
    for run in waiting:
        if run not in due:
            _log.warning("The monitor of task %s was not pinged about run %s.", run.task, run.id)
            _save_pending(environment, run, [])
    return sum(len(run.sent) for run in due)


def address(url: str, phase: str) -> str:
    """The URL to call in a phase of a run."""
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


def _ping(run: _Run) -> None:
    for phase in run.phases:
        try:
            _call(address(run.url, phase))
        except Unanswered as problem:
            run.problem = str(problem)
            return
        run.sent.append(phase)


class Unanswered(Exception):
    """A ping failed, with the reason."""


def _call(url: str) -> None:
    """Call a URL. Raises Unanswered after `_SECONDS`, even if bytes keep coming."""
    import httpx

    try:
        asyncio.run(asyncio.wait_for(_get(url), _SECONDS))
    except TimeoutError:
        raise Unanswered(f"no answer within {_SECONDS:g} seconds") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
        raise Unanswered(str(problem) or type(problem).__name__) from problem


@lru_cache
def _trusted() -> ssl.SSLContext:
    """Return the certificates that are trusted. To read them takes 50 ms."""
    import httpx

    return httpx.create_ssl_context()


async def _get(url: str) -> None:
    import httpx

    first = here = httpx.URL(url)
    if first.scheme not in ("http", "https") or first.userinfo:
        raise Unanswered("a ping URL starts with http:// or https:// and contains no password")
    options: dict[str, Any] = {"headers": {"User-Agent": "PiTasker"}, "verify": _trusted()}
    async with httpx.AsyncClient(**options, timeout=None) as client:  # noqa: S113 - there is one for the whole
        for _ in range(_MOST_HOPS + 1):
            async with client.stream("GET", here) as answer:  # its body is not read
                if answer.next_request is None:
                    answer.raise_for_status()
                    return
                there = answer.next_request.url
            # A monitor must not redirect us to hosts in the local network.
            if there.host != first.host or there.scheme not in (here.scheme, "https"):
                raise Unanswered(
                    f"it redirects to {there.scheme}://{there.host}, which is not called"
                )
            here = there
    raise Unanswered("too many redirects")


def _save_pending(environment: Environment, run: _Run, pending: list[str]) -> None:
    """Save the pending pings, followed by those that were added in the meantime."""
    if pending == run.phases:
        return
    with database.session(environment) as session:
        query = select(RunRow.pings).where(RunRow.id == run.id).with_for_update()
        added = (session.scalar(query) or [])[len(run.phases) :]
        session.execute(
            update(RunRow)
            .where(RunRow.id == run.id)
            .values(pings=[*pending, *added] or None)
            .execution_options(synchronize_session=False)
        )
