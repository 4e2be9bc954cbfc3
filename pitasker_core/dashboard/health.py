"""The health of the jobs and of the sync together, in one word for every page."""

from functools import lru_cache

from pitasker_core import tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import live
from pitasker_core.dashboard.session import cron_is_alive
from pitasker_core.reports import status
from pitasker_core.reports.status import Health
from pitasker_core.sync import operation_history
from pitasker_core.tasks import Listing

_WORSE = [Health.GREEN, Health.YELLOW, Health.RED]


def current() -> Health | None:
    """The health now; None when the database does not answer. It may be some seconds old."""
    environment = Environment.from_environment()
    return _at_version(environment, live.version(environment), cron_is_alive())


@lru_cache(maxsize=4)
def _at_version(environment: Environment, version: str, cron_alive: bool | None) -> Health | None:
    try:
        listing = tasks.listing(environment)
        operations = operation_history.operations(environment, 5)
    except PiTaskerError:
        return None
    return worst(jobs(listing), status.summary(listing, operations, cron_alive).health)


def jobs(listing: Listing) -> Health:
    """The health of the jobs: red when one fails, yellow when one was missed."""
    states = {task.status for task in listing.tasks if not task.paused}
    if "failed" in states:
        return Health.RED
    return Health.YELLOW if "missed" in states else Health.GREEN


def worst(*parts: Health) -> Health:
    """The worst of several."""
    return max(parts, key=_WORSE.index)
