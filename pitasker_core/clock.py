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
