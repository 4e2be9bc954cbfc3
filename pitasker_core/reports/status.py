"""How sync is doing: counts, and health in one word with its reasons."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pitasker_core.base import clock, cron_daemon
from pitasker_core.base.environment import Environment
from pitasker_core.sync.operation_history import Operation, operations
from pitasker_core.tasks import Listing, State, listing

RECENT = timedelta(days=1)
"""How long a failed operation counts against the health, if none has succeeded since."""


class Health(StrEnum):
    """Health in one colour."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class Status:
    """Where things stand. Counts are of tasks that are not deleted, and of entries."""

    last_sync: datetime | None
    """When a sync last went well, also one that found nothing to do."""
    tasks: int
    entries: int
    synced: int
    unsynced: int
    """System-managed tasks that are not in step with the crontab."""
    database_only: int
    unmanaged: int
    invalid_lines: int
    health: Health
    reasons: list[str]
    """Why the health is not green, in sentences."""


def status(environment: Environment) -> Status:
    """Where things stand now. An unreadable crontab is a red health, not an error."""
    # No cron runs the crontab of a demo.
    alive = None if environment.demo else cron_daemon.is_alive()
    return summary(listing(environment), operations(environment, 20), alive)


def summary(found: Listing, recent: list[Operation], cron_alive: bool | None = None) -> Status:
    """The status that a listing and the newest operations (newest first) make.

    `cron_alive` is whether cron runs; None when nobody can tell.
    """
    states = list(found.states.values())
    compared = found.comparison
    reading = compared.reading if compared else None
    waiting = sum(state in (State.PENDING, State.FAILED, State.CONFLICT) for state in states)
    database_only = states.count(State.DATABASE_ONLY)
    invalid = compared.document.invalid_lines if compared else []
    reasons_red: list[str] = [found.problem.user_message] if found.problem else []
    if cron_alive is False:
        reasons_red.append("cron is not running: no job will start.")
    newest = recent[0] if recent else None
    if newest and newest.outcome == "failed" and newest.started_at > clock.now() - RECENT:
        reasons_red.append(f"The last {newest.kind} failed: {newest.error_message}")
    if failed := states.count(State.FAILED):
        reasons_red.append(f"{counted(failed, 'task')} could not be written to the crontab.")
    reasons = []
    if conflicts := states.count(State.CONFLICT):
        reasons.append(f"{counted(conflicts, 'conflict')} to decide.")
    if pending := states.count(State.PENDING):
        reasons.append(f"{counted(pending, 'task')} not in step yet: sync now.")
    if invalid:
        reasons.append(f"{counted(len(invalid), 'line')} of the crontab cron would not take.")
    if reading and reading.copies:
        reasons.append(f"{counted(len(reading.copies), 'entry', 'entries')} with a copied tag.")
    if reading and reading.unknown:
        reasons.append(f"{counted(len(reading.unknown), 'entry', 'entries')} with an unknown tag.")
    health = Health.RED if reasons_red else Health.YELLOW if reasons else Health.GREEN
    return Status(
        last_sync=found.last_sync,
        tasks=len(found.tasks),
        entries=compared.document.size if compared else 0,
        synced=states.count(State.SYNCED),
        unsynced=waiting,
        database_only=database_only,
        unmanaged=len(reading.unmanaged) if reading else 0,
        invalid_lines=len(invalid),
        health=health,
        reasons=reasons_red + reasons,
    )


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things in words: "1 entry", "2 entries"; `many` is `one` with an s if empty."""
    return f"{number} {one if number == 1 else many or one + 's'}"
