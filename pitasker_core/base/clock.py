"""The time, and the zone that cron goes by."""

import io
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

_LOCALTIME = Path("/etc/localtime")
_TIMEZONE = Path("/etc/timezone")


def now() -> datetime:
    """The present time, aware, in UTC."""
    return datetime.now(UTC)


def system_zone() -> ZoneInfo:
    """The machine's time zone, in which cron reads schedules; TZ does not count for cron.

    UTC where the machine has no zone set, or a link to one that does not exist, as the C library
    has it. The zone always has a key, which PostgreSQL understands as well.
    """
    try:
        data = _LOCALTIME.read_bytes()
        linked = str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
        return _zone(data, linked or _configured_name())
    except (OSError, ValueError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=4)
def _zone(data: bytes, name: str) -> ZoneInfo:
    """The zone of a file's content, by this name, or else by that of the same file among all."""
    names = (name, "UTC", *_main_names(), *sorted(available_timezones()))
    for known in filter(None, names):
        if _is_file_of(known, data):
            return ZoneInfo(known)
    # A zone of the administrator's own: the last line of its file is a rule that has no name, as
    # POSIX writes it (RFC 8536, section 3.3).
    rule = data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")
    return ZoneInfo.from_file(io.BytesIO(data), key=rule)


def _configured_name() -> str:
    """What Debian keeps beside a copy; it may be that of another zone."""
    try:
        return _TIMEZONE.read_text().strip()
    except (OSError, ValueError):
        return ""


def _main_names() -> list[str]:
    """The zones of which others are copies: tzdata's own table, with comments and tabs."""
    for folder in TZPATH:
        with suppress(OSError):
            lines = Path(folder, "zone1970.tab").read_text("utf-8", "replace").splitlines()
            rows = [line.split("\t") for line in lines if not line.startswith("#")]
            return [row[2] for row in rows if len(row) > 2]
    return []


def _is_file_of(name: str, data: bytes) -> bool:
    for folder in TZPATH:
        try:
            if Path(folder, name).read_bytes() == data:
                return True
        except (OSError, ValueError):
            continue
    return False


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
