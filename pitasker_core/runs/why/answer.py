from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from pitasker_core.crontab.doctor.finding import Problem


class Verdict(StrEnum):
    """The result of a check."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


class Result(NamedTuple):
    """What a check found."""

    verdict: Verdict
    evidence: str
    """What the check found, in one sentence."""
    advice: str = ""
    """The next step, in words."""
    command: str = ""
    """The next step, for a terminal."""


@dataclass(frozen=True, slots=True)
class Check:
    """One condition for a task to run and to do its work, with its `Result`."""

    name: str
    verdict: Verdict
    evidence: str
    advice: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The conclusion in a sentence, and all checks, in the order of causes."""

    conclusion: str
    checks: tuple[Check, ...]

    @property
    def in_order(self) -> bool:
        """Whether no check is bad."""
        return all(check.verdict is not Verdict.BAD for check in self.checks)


good = partial(Result, Verdict.OK)
bad = partial(Result, Verdict.BAD)
unknown = partial(Result, Verdict.UNKNOWN)
"""A result that is not clear, or that may be intended."""


def reported(problem: Problem) -> Result:
    """The bad result of a check that a rule of the doctor makes."""
    return bad(problem.message, problem.advice, problem.terminal)


def log_command(unit: str, since: datetime) -> str:
    """A command that shows five minutes of cron's log. `since` is in the machine's zone."""
    until, clock = since + timedelta(minutes=5), "%Y-%m-%d %H:%M"
    return f"sudo journalctl -u {unit} --since '{since:{clock}}' --until '{until:{clock}}'"
