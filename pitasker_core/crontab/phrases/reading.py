"""The answer to a phrase: the schedules that it may mean, or why cron cannot run it."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How well a phrase and cron agree."""

    EXACT = "exact"
    """One schedule says what the phrase says."""
    CORRECTED = "corrected"
    """So does one, after a slip of the pen was corrected."""
    CHOICE = "choice"
    """The phrase has several meanings, with a schedule each."""
    SEVERAL = "several"
    """Only several schedules together say it."""
    NEAREST = "nearest"
    """cron cannot say it; the schedule is the nearest that it can."""
    ONCE = "once"
    """It happens once, and cron repeats."""
    UNKNOWN = "unknown"
    """Not understood."""


@dataclass(frozen=True)
class Offer:
    """A schedule that a phrase may mean."""

    schedule: str
    meaning: str = ""
    """Which of the meanings it is, where there are several."""
    command_test: str = ""
    """Put before the command, this makes a nearest schedule exact. Its `%` are escaped."""


@dataclass(frozen=True)
class Reading:
    """What a phrase means to cron."""

    kind: Kind
    offers: tuple[Offer, ...] = ()
    """The best first; empty if no schedule comes near."""
    reason: str = ""
    """Why there is no exact schedule, or what is ambiguous."""
    usual_way: str = ""
    """How people do it with cron, or without it; a line for each meaning."""
    together: tuple[str, ...] = ()
    """The schedules that say it only together, each in a separate entry."""
    notes: tuple[str, ...] = ()
    """What was assumed or corrected."""
    place: str = ""
    """The place or zone that the times are those of, as it was written."""
    by_test: Offer | None = None
    """A schedule that runs too often, which only its test in the command makes exact."""

    @property
    def schedule(self) -> str | None:
        """The best schedule that says what the phrase says, perhaps as one of its meanings."""
        exact = (Kind.EXACT, Kind.CORRECTED, Kind.CHOICE)
        return self.offers[0].schedule if self.offers and self.kind in exact else None
