"""What a rule is: a check with a code, and the text that documents it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVarTuple

from pitasker_core.crontab.doctor.facts import MachineFacts
from pitasker_core.crontab.doctor.finding import Problem
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.document import Line
from pitasker_core.crontab.schedule import Dialect


@dataclass(frozen=True, slots=True)
class LineContext:
    """What surrounds a line that is no entry."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """The environment lines above it."""
    facts: MachineFacts = field(default_factory=MachineFacts)
    dialect: Dialect = Dialect.DEBIAN
    is_last: bool = False


Examined = TypeVarTuple("Examined")
"""What a check is given."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[*Examined]):
    """A check with its documentation."""

    check: Callable[[*Examined], Problem | None]
    title: str
    example: str
    """Lines of a crontab that the rule reports."""
    better: str
    """Lines that it does not report."""

    @property
    def code(self) -> str:
        """The name of the check. It is stable: silences and programs name the rule by it."""
        return self.check.__name__

    @property
    def explanation(self) -> str:
        """The docstring of the check."""
        return inspect.getdoc(self.check) or ""


EntryRule = Rule[Subject]
"""A rule about entries."""

LineRule = Rule[Line, LineContext]
"""A rule about the other lines: environment lines, and lines that cron refuses."""


def rule(
    title: str, *, example: str, better: str
) -> Callable[[Callable[[*Examined], Problem | None]], Rule[*Examined]]:
    """Make a rule of a check."""
    return lambda check: Rule(check, title, example, better)
