"""Run calls that may hang side by side, with a time limit."""

import threading
import time
from collections.abc import Callable, Sequence


def run(calls: Sequence[Callable[[], None]], seconds: float) -> list[threading.Thread]:
    """Run all calls at once, and return the threads that did not end within this many seconds.

    A call that takes longer goes on in a daemon thread, which does not keep the process from
    ending. Calls catch their own errors.
    """
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]
