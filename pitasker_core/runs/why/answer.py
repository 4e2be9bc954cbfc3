"""The answer to "Why didn't it run?": a conclusion and the checks behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """The result of a check."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One condition for a task to run and to do its work."""

    name: str
    verdict: Verdict
    evidence: str
    """What the check found, in one sentence."""
    advice: str = ""
    """The next step, in words."""
    command: str = ""
    """The next step, for a terminal."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The conclusion in a sentence, and all checks, in the order of causes."""

    conclusion: str
    checks: tuple[Check, ...]

    @property
    def in_order(self) -> bool:
        """Whether no check is bad."""
        return all(check.verdict is not Verdict.BAD for check in self.checks)


def good(name: str, evidence: str) -> Check:
    """A check that passed."""
    return Check(name, Verdict.OK, evidence)


def bad(name: str, evidence: str, advice: str = "", command: str = "") -> Check:
    """A check that found a problem."""
    return Check(name, Verdict.BAD, evidence, advice, command)


def unknown(name: str, evidence: str, advice: str = "", command: str = "") -> Check:
    """A check without a clear result, or that found something that may be intended."""
    return Check(name, Verdict.UNKNOWN, evidence, advice, command)


def log_command(unit: str, since: datetime) -> str:
    """A command that shows five minutes of cron's log. `since` is in the machine's zone."""
    until, clock = since + timedelta(minutes=5), "%Y-%m-%d %H:%M"
    return f"sudo journalctl -u {unit} --since '{since:{clock}}' --until '{until:{clock}}'"
