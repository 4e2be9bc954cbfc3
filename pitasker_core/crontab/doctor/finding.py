"""What a rule reports about a line of a crontab, and the edit that repairs it."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from pitasker_core.base.text import Text


class Severity(StrEnum):
    """How much a finding matters."""

    HIGH = "high"
    """The job does not run, does something else than its line says, or is open to others."""
    MEDIUM = "medium"
    """The job may fail, or do what its author did not expect."""
    LOW = "low"
    """Worth knowing."""

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit of one line. What is None stays as it is.

    `schedule` and `command` belong to an entry, `value` to an environment line.
    """

    label: str
    """The words of its button."""
    schedule: str | None = None
    command: str | None = None
    value: str | None = None


class Problem(NamedTuple):
    """What a rule says about one line. The catalogue adds the rule's code, `examine` the line."""

    severity: Severity
    message: str
    evidence: str = ""
    """The piece of the line that the message is about. It never holds a secret."""
    advice: str = ""
    """What to do, in one sentence."""
    terminal: str = ""
    """A command for a terminal that shows or solves it."""
    fix: Fix | None = None

    @property
    def sentence(self) -> str:
        """The message with its advice."""
        return Text(self.message, " ", self.advice) if self.advice else self.message


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of one line."""

    rule: str
    """The code of the rule, such as `program_missing`."""
    line: int
    """1 is the first line."""
    severity: Severity
    message: str
    evidence: str = ""
    advice: str = ""
    terminal: str = ""
    fix: Fix | None = None

    @property
    def sentence(self) -> str:
        """The message with its advice."""
        return Text(self.message, " ", self.advice) if self.advice else self.message


# What rules return: a problem of a severity.
high = partial(Problem, Severity.HIGH)
medium = partial(Problem, Severity.MEDIUM)
low = partial(Problem, Severity.LOW)
