"""What comes of asking: a reason, and the checks that led to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be in order for a task to run and do its work."""

    name: str
    verdict: Verdict
    evidence: str
    """What was seen, in one sentence."""
    advice: str = ""
    """The next step, in words."""
    command: str = ""
    """The next step, for a terminal."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The reason in a sentence, and everything that was looked at, in the order of causes."""

    conclusion: str
    checks: tuple[Check, ...]

    @property
    def in_order(self) -> bool:
        """Whether nothing bad was found."""
        return all(check.verdict is not Verdict.BAD for check in self.checks)


def good(name: str, evidence: str) -> Check:
    """A check that found all in order."""
    return Check(name, Verdict.OK, evidence)


def bad(name: str, evidence: str, advice: str = "", command: str = "") -> Check:
    """A check that found what is wrong."""
    return Check(name, Verdict.BAD, evidence, advice, command)


def unknown(name: str, evidence: str, advice: str = "", command: str = "") -> Check:
    """A check that could not tell, or that found what may be meant so."""
    return Check(name, Verdict.UNKNOWN, evidence, advice, command)


def log_command(unit: str, since: datetime) -> str:
    """The command that shows five minutes of cron's log. `since` is by the machine's clock."""
    until, clock = since + timedelta(minutes=5), "%Y-%m-%d %H:%M"
    return f"sudo journalctl -u {unit} --since '{since:{clock}}' --until '{until:{clock}}'"
