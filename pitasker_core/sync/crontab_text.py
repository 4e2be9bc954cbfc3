"""The installed crontab, read and parsed."""

from functools import lru_cache

from pitasker_core.base.environment import Environment
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.crontab.schedule import Dialect


def program(environment: Environment) -> CrontabProgram:
    """Return the `crontab` program of an environment."""
    return CrontabProgram(environment.crontab_program)


def read_crontab(environment: Environment) -> tuple[str | None, Document]:
    """Return the installed text (None: no crontab) and its lines. Needs no database."""
    crontab = program(environment)
    text = crontab.read()
    return text, _parse(text or "", crontab.dialect)


@lru_cache(maxsize=2)
def _parse(text: str, dialect: Dialect) -> Document:
    """Parse a text. One act reads the same text several times."""
    return parse(text, dialect)
