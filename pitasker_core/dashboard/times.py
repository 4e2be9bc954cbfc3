"""How times read. Pure but for the machine's zone."""

from datetime import datetime, timedelta

from pitasker_core.base.clock import ago, system_zone

__all__ = ["ago", "lasted", "time_text"]


def time_text(moment: datetime | None, never: str = "never") -> str:
    """A time in the machine's zone, to the second."""
    return f"{moment.astimezone(system_zone()):%Y-%m-%d %H:%M:%S}" if moment else never


def lasted(length: timedelta) -> str:
    """How long something took: "40 ms", "3.2 s", "4 min 10 s", "2 h 5 min"."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
