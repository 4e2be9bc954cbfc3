"""Limits for guessing passwords. Pure, with a given clock."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FREE_ATTEMPTS = 5
"""Wrong passwords before the first pause."""

LONGEST_WAIT = 900.0
"""The longest pause before the next attempt, in seconds."""

BURST = 30
"""Attempts that all strangers share, however many addresses they use."""

REFILL_SECONDS = 120.0
"""Seconds until strangers get one more attempt: 720 a day. One or two addresses cannot use up this
allowance, because their own pauses make them slower. So they do not lock out others."""

_FORGET_SECONDS = 86_400.0


@dataclass
class _Count:
    wrong: int = 0
    until: float = 0.0
    last: float = 0.0

    def pause_from(self, now: float) -> None:
        """Start a pause whose length depends on the number of wrong attempts."""
        if self.wrong >= FREE_ATTEMPTS:
            # The exponent is bounded, because 2.0 ** 1024 raises OverflowError.
            doublings = min(self.wrong - FREE_ATTEMPTS + 1, 20)
            self.until = now + min(LONGEST_WAIT, 2.0**doublings)


class Throttle:
    """Double the pause after each wrong attempt, after the first few.

    Strangers are counted by address and all together. A known browser is counted alone, so that
    strangers cannot lock it out. An attempt counts as wrong from its start, so that parallel
    attempts cannot evade the count.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}
        self._left = float(BURST)
        self._refilled = now()

    def begin(self, who: str, *, is_stranger: bool = True) -> float:
        """Begin an attempt. Returns the seconds to wait, or 0 if it may go on."""
        with self._lock:
            now = self._now()
            self._forget(now)
            count = self._counts.get(who, _Count())
            if count.until > now:
                return count.until - now
            if is_stranger:
                if self._left < 1:
                    return (1 - self._left) * REFILL_SECONDS
                self._left -= 1
            count.wrong += 1
            count.last = now
            count.pause_from(now)
            self._counts[who] = count
            return 0.0

    def wrong(self, who: str) -> None:
        """Record a wrong attempt. Its pause begins now, because checking it took some time."""
        with self._lock:
            if count := self._counts.get(who):
                count.pause_from(self._now())

    def right(self, who: str, *, is_stranger: bool = True, is_owner: bool = True) -> None:
        """Record a right attempt. Only the owner's password ends the pauses.

        Otherwise somebody with the read-only password could reset them between guesses.
        """
        with self._lock:
            if is_stranger:
                self._left = min(float(BURST), self._left + 1)
            if is_owner:
                self._counts.pop(who, None)
            elif count := self._counts.get(who):
                count.wrong -= 1
                if count.wrong < FREE_ATTEMPTS:
                    count.until = 0.0

    def _forget(self, now: float) -> None:
        """Refill the allowance and drop old counts. The allowance limits how many there are."""
        self._left = min(float(BURST), self._left + (now - self._refilled) / REFILL_SECONDS)
        self._refilled = now
        for who in [w for w, count in self._counts.items() if now - count.last > _FORGET_SECONDS]:
            del self._counts[who]
