"""Do what may hang, beside each other and not for ever."""

import threading
import time
from collections.abc import Callable, Sequence


def run(works: Sequence[Callable[[], None]], seconds: float) -> bool:
    """Do all at once, and wait so long at the most; True when all are done by then.

    What is not is left to itself: it keeps nobody, not even this process, from ending. Works catch
    their own errors.
    """
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)
