"""The time, and the zone that cron goes by."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

_LOCALTIME = Path("/etc/localtime")


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


def system_zone() -> ZoneInfo:
    """The machine's time zone, in which cron reads schedules; TZ does not count for cron.

    UTC where the machine has no zone set, as the C library has it.
    """
    try:
        name = str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
        if name:
            return ZoneInfo(name)
        with _LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return ZoneInfo("UTC")


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
