"""Sync in numbers: counts, and its health with the reasons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import func, select

from pitasker_core import database
from pitasker_core.base import clock, cron_daemon
from pitasker_core.base.environment import Environment
from pitasker_core.base.shared import Shared
from pitasker_core.base.text import Text, counted
from pitasker_core.database.tables import OperationRow
from pitasker_core.sync import store
from pitasker_core.sync.operation_history import Operation, operations
from pitasker_core.tasks import Listing, State, listing, view

RECENT = timedelta(days=1)
"""How long a failed operation counts against the health, if none has succeeded since."""


class Health(StrEnum):
    """Health as a colour."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class Status:
    """The state of sync. Deleted tasks are not counted."""

    last_sync: datetime | None
    """The time of the last successful sync, also of one without changes."""
    tasks: int
    entries: int
    synced: int
    unsynced: int
    """System-managed tasks that are out of sync."""
    database_only: int
    unmanaged: int
    invalid_lines: int
    health: Health
    reasons: list[str]
    """Why the health is not green, in sentences."""
    is_readable: bool = True
    """Whether the crontab could be read."""


@dataclass(frozen=True)
class Metrics:
    """All operations on this crontab, and its status. `average_ms` in milliseconds."""

    total: int
    successful: int
    failed: int
    average_ms: float | None
    status: Status


def status(environment: Environment) -> Status:
    """Return the status now. An unreadable crontab is a red health, not an error."""
    return _summarise(environment, listing(environment))


def current_status(environment: Environment) -> Status:
    """Return the status for display, computed once for all who wait for it.

    It is at most `view.DISPLAY_SECONDS` old, and never older than a change by this process.
    """
    return _shared(environment).status.get(view.DISPLAY_SECONDS)


def peek_status(environment: Environment) -> Status | None:
    """Return what `current_status` returns if that needs no work; else None."""
    return _shared(environment).status.peek(view.DISPLAY_SECONDS)


def current_metrics(environment: Environment) -> Metrics:
    """Return the metrics for display, as old as `current_status` at most."""
    return _shared(environment).metrics.get(view.DISPLAY_SECONDS)


def peek_metrics(environment: Environment) -> Metrics | None:
    """Return what `current_metrics` returns if that needs no work; else None."""
    return _shared(environment).metrics.peek(view.DISPLAY_SECONDS)


def _metrics(environment: Environment) -> Metrics:
    with database.session(environment) as session:
        total, failed, average = session.execute(
            select(
                func.count(),
                func.count().filter(OperationRow.outcome == store.Outcome.FAILED),
                func.avg(OperationRow.duration_ms),
            ).where(OperationRow.crontab_row == store.own_crontab(session))
        ).one()
    return Metrics(total, total - failed, failed, average, _shared(environment).status.get())


def summary(
    listing: Listing, recent: Sequence[Operation], cron_alive: bool | None = None
) -> Status:
    """Return the status of a listing and the newest operations (newest first).

    `cron_alive` is whether cron runs; None when that is unknown.
    """
    states = list(listing.states.values())
    comparison = listing.comparison
    problems = list(_problems(listing, recent, cron_alive))
    warnings = list(_warnings(listing))
    return Status(
        last_sync=listing.last_sync,
        tasks=len(listing.tasks),
        entries=comparison.document.size if comparison else 0,
        synced=states.count(State.SYNCED),
        unsynced=sum(map(states.count, (State.PENDING, State.FAILED, State.CONFLICT))),
        database_only=states.count(State.DATABASE_ONLY),
        unmanaged=len(comparison.reading.unmanaged) if comparison else 0,
        invalid_lines=len(comparison.document.invalid_lines) if comparison else 0,
        health=Health.RED if problems else Health.YELLOW if warnings else Health.GREEN,
        reasons=problems + warnings,
        is_readable=comparison is not None,
    )


def _problems(
    listing: Listing, recent: Sequence[Operation], cron_alive: bool | None
) -> Iterator[str]:
    """The reasons for a red health."""
    if listing.problem:
        yield listing.problem.user_message
    if cron_alive is False:
        yield "cron is not running: no job will start."
    newest = recent[0] if recent else None
    # A sync without changes leaves no operation, but it shows that the reason is gone.
    since = max(filter(None, (listing.last_sync, clock.now() - RECENT)))
    if newest and newest.outcome == store.Outcome.FAILED and newest.started_at > since:
        yield Text(f"The last {newest.kind} failed: ", newest.error_message or "")
    if failed := list(listing.states.values()).count(State.FAILED):
        yield f"{counted(failed, 'task')} could not be written to the crontab."


def _warnings(listing: Listing) -> Iterator[str]:
    """The reasons for a yellow health."""
    states = list(listing.states.values())
    if conflicts := states.count(State.CONFLICT):
        yield f"{counted(conflicts, 'conflict')} to decide."
    if pending := states.count(State.PENDING):
        yield f"{counted(pending, 'task')} not in sync yet: sync now."
    if listing.comparison is None:
        return
    reading = listing.comparison.reading
    if invalid := listing.comparison.document.invalid_lines:
        yield f"Cron would not accept {counted(len(invalid), 'line')} of the crontab."
    if reading.copies:
        yield f"{counted(len(reading.copies), 'entry', 'entries')} with a copied tag."
    if reading.unknown:
        yield f"{counted(len(reading.unknown), 'entry', 'entries')} with an unknown tag."


def _summarise(environment: Environment, tasks: Listing) -> Status:
    # Cron does not run the crontab of a demo.
    alive = None if environment.demo else cron_daemon.is_alive()
    return summary(tasks, operations(environment, 20), alive)


class _SharedValues(NamedTuple):
    status: Shared[Status]
    metrics: Shared[Metrics]


def _shared(environment: Environment) -> _SharedValues:
    # Readers and writers share them.
    return _shared_by(replace(environment, read_only=True))


@lru_cache(maxsize=8)
def _shared_by(environment: Environment) -> _SharedValues:
    return _SharedValues(
        Shared(lambda: _summarise(environment, view.current(environment, 0))),
        Shared(lambda: _metrics(environment)),
    )
