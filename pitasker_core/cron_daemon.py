"""Is cron itself alive? Without it the best crontab does nothing."""

import os
from pathlib import Path

_NAMES = {"cron", "crond"}


def is_alive(proc: Path = Path("/proc")) -> bool | None:
    """Whether a cron daemon runs; None when this user may not see other users' processes.

    Looks at names, as every pid file of a daemon that died says nothing.
    """
    seen_others = False
    for process in proc.iterdir():
        if not process.name.isdecimal():
            continue
        try:
            if (process / "comm").read_text().strip() in _NAMES:
                return True
            seen_others = seen_others or (os.getuid() == 0 or process.stat().st_uid != os.getuid())
        except OSError:
            continue
    return False if seen_others else None
