"""How often somebody may guess a password. Pure but for the clock that is given."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

FREE_ATTEMPTS = 5
"""Wrong passwords that cost no waiting."""

LONGEST_WAIT = 900.0
"""Seconds at most until the next attempt is looked at."""

BURST = 30
"""Attempts that all strangers together have at once, however many addresses they have."""

REFILL_SECONDS = 120.0
"""Until strangers have one more: 720 a day. Who guesses from one or two addresses is slower than
this because of their own pauses, and does not keep strangers at other addresses out."""

_FORGET_SECONDS = 86_400.0


@dataclass
class _Count:
    wrong: int = 0
    until: float = 0.0
    last: float = 0.0

    def pause_from(self, now: float) -> None:
        """Wait from now on, by the number of wrong attempts."""
        if self.wrong >= FREE_ATTEMPTS:
            # Bounded before it is a power: 2.0 ** 1024 is an error.
            doublings = min(self.wrong - FREE_ATTEMPTS + 1, 20)
            self.until = now + min(LONGEST_WAIT, 2.0**doublings)


class Throttle:
    """Make each wrong attempt after the first few wait twice as long as the one before.

    Strangers are counted by address, and all together. A visitor who was here before is counted
    alone, so that nobody who guesses keeps them out. An attempt counts as wrong from its beginning:
    others at the same time do not get past the count.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._counts: dict[str, _Count] = {}
        self._left = float(BURST)
        self._refilled = now()

    def begin(self, who: str, *, is_stranger: bool = True) -> float:
        """Begin an attempt, unless there is a time to wait: in seconds, 0 when it began."""
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
        """An attempt was wrong: the pause is from now on. Looking at it took a while."""
        with self._lock:
            if count := self._counts.get(who):
                count.pause_from(self._now())

    def right(self, who: str, *, is_stranger: bool = True, is_owner: bool = True) -> None:
        """An attempt was right. Only the owner's password ends the pauses: with one for looking,
        somebody who guesses the other would begin anew each time."""
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
        """Refill, and forget old attempts. What strangers have bounds how many are remembered."""
        self._left = min(float(BURST), self._left + (now - self._refilled) / REFILL_SECONDS)
        self._refilled = now
        for who in [w for w, count in self._counts.items() if now - count.last > _FORGET_SECONDS]:
            del self._counts[who]
