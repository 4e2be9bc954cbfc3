"""The installed crontab, read and parsed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pitasker_core.base.environment import Environment
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.program import CrontabProgram


def program(environment: Environment) -> CrontabProgram:
    """Return the `crontab` program of an environment."""
    return CrontabProgram(environment.crontab_program)


def read_crontab(environment: Environment) -> tuple[str | None, Document]:
    """Return the installed text (None: no crontab) and its lines. Needs no database."""
    with reading_crontab(environment) as finish:
        return finish()


@contextmanager
def reading_crontab(
    environment: Environment,
) -> Iterator[Callable[[], tuple[str | None, Document]]]:
    """Start to read the crontab, and give the function that waits for it; see `read_crontab`."""
    crontab = program(environment)
    with crontab.reading() as read:

        def finish() -> tuple[str | None, Document]:
            text = read()
            return text, parse(text or "", crontab.dialect)

        yield finish
