"""The health of tasks and sync together, computed once for each version of the data."""

from contextlib import suppress
from datetime import timedelta
from functools import lru_cache

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import attention, live
from pitasker_core.dashboard.attention import Facts
from pitasker_core.dashboard.session import cron_is_alive
from pitasker_core.reports import dismissals, doctor
from pitasker_core.reports.doctor import Examined
from pitasker_core.reports.status import Health
from pitasker_core.runs import spans
from pitasker_core.runs.missed import catch_up
from pitasker_core.runs.model import RunState
from pitasker_core.server import job_states
from pitasker_core.sync import operation_history
from pitasker_core.tasks import Listing

_WEEK = timedelta(days=7)


def current() -> Health | None:
    """Return the health, at most some seconds old. None if the database does not answer."""
    try:
        return attention.health(attention.items(facts()))
    except PiTaskerError:
        return None


def facts() -> Facts:
    """Return the facts, at most some seconds old. Raises DatabaseError."""
    environment = Environment.from_environment()
    return _at_version(environment, live.version(environment), cron_is_alive())


@lru_cache(maxsize=2)
def _at_version(environment: Environment, version: str, cron_alive: bool | None) -> Facts:
    now = clock.now()
    listing = tasks.current(environment)
    week = spans.odd(environment, now - _WEEK)
    return Facts(
        listing=listing,
        now=now,
        failures=spans.failures(environment),
        missed=[span for span in week if span.state == RunState.MISSED],
        running=[span for span in week if span.state == RunState.RUNNING],
        offer=catch_up.offers(environment),
        operations=operation_history.operations(environment, 12),
        cron_alive=cron_alive,
        background={
            name: job.message for name, job in job_states.listing(environment).items() if not job.ok
        },
        dismissed=dismissals.dismissed(environment),
        examined=_examine(environment, listing),
    )


def _examine(environment: Environment, listing: Listing) -> Examined | None:
    if listing.comparison is None:
        return None
    with suppress(PiTaskerError):
        return doctor.examine(environment, listing.comparison)
    return None
