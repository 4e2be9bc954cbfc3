"""What a text typed where a schedule goes means on this machine."""

from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.crontab.understanding import Understanding, understand
from pitasker_core.sync import service


def understand_here(environment: Environment, text: str) -> Understanding:
    """The meaning in this machine's zone, at this time, by this machine's cron."""
    try:
        dialect = service.program(environment).dialect
    except PiTaskerError:
        dialect = Dialect.DEBIAN
    return understand(text, clock.system_zone(), clock.now(), dialect)
