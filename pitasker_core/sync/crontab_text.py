"""The installed crontab, read and parsed."""

from pitasker_core.base.environment import Environment
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.program import CrontabProgram


def program(environment: Environment) -> CrontabProgram:
    """Return the `crontab` program of an environment."""
    return CrontabProgram(environment.crontab_program)


def read_crontab(environment: Environment) -> tuple[str | None, Document]:
    """Return the installed text (None: no crontab) and its lines. Needs no database."""
    crontab = program(environment)
    text = crontab.read()
    return text, parse(text or "", crontab.dialect)
