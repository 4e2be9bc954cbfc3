"""How times read. Pure but for the machine's zone."""

from datetime import datetime

from pitasker_core.clock import system_zone


def time_text(moment: datetime | None, never: str = "never") -> str:
    """A time in the machine's zone, to the second."""
    return f"{moment.astimezone(system_zone()):%Y-%m-%d %H:%M:%S}" if moment else never


def ago(moment: datetime, now: datetime) -> str:
    """How long before or after now, in the largest whole unit: "5 min ago", "in 2 h"."""
    seconds = (moment - now).total_seconds()
    size = abs(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if size >= length:
            text = f"{int(size // length)} {unit}"
            break
    else:
        text = f"{int(size)} s"
    return f"in {text}" if seconds > 0 else f"{text} ago"
