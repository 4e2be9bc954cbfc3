"""Times and durations as text. Pure except for the machine's time zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pitasker_core.base.clock import ago, system_zone

__all__ = ["ago", "clock_text", "lasted", "time_text"]


def time_text(moment: datetime | None, never: str = "never") -> str:
    """Return a time in the machine's zone, to the second."""
    return f"{moment.astimezone(system_zone()):%Y-%m-%d %H:%M:%S}" if moment else never


def lasted(length: timedelta) -> str:
    """Return a duration as text: "40 ms", "3.2 s", "4 min 10 s", "2 h 5 min"."""
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


def clock_text(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time to the minute, with its day if that is not today: "14:25", "Fri 02:00"."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if abs(local - today) < timedelta(days=6):
        return f"{local:%a %H:%M}"
    year = f" {local:%Y}" if local.year != today.year else ""
    return f"{local:%a %-d %b}{year} {local:%H:%M}"
