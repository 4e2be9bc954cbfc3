from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Attempts:
    """The attempts to send a notice to one channel, and their result."""

    tries: int = 0
    next_try: datetime | None = None
    sent_at: datetime | None = None
    is_given_up: bool = False
    problem: str | None = None
    """Why the last attempt failed."""

    @property
    def is_over(self) -> bool:
        """Whether there are no more attempts."""
        return self.sent_at is not None or self.is_given_up


def read(stored: Mapping[str, Any]) -> dict[str, Attempts]:
    """The attempts in a row, by channel."""
    return {name: _read_one(values) for name, values in stored.items()}


def _read_one(values: Mapping[str, Any]) -> Attempts:
    return Attempts(
        values.get("tries", 0),
        _time(values.get("next_try")),
        _time(values.get("sent_at")),
        values.get("given_up", False),
        values.get("problem"),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def as_stored(attempts: Mapping[str, Attempts]) -> dict[str, Any]:
    """The attempts in the format of a row."""
    return {
        name: {
            "tries": each.tries,
            "next_try": each.next_try.isoformat() if each.next_try else None,
            "sent_at": each.sent_at.isoformat() if each.sent_at else None,
            "given_up": each.is_given_up,
            "problem": each.problem,
        }
        for name, each in attempts.items()
    }
