"""The current time, and the time zone in which cron reads schedules."""

import io
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

_LOCALTIME = Path("/etc/localtime")
_TIMEZONE = Path("/etc/timezone")


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def system_zone() -> ZoneInfo:
    """The machine's time zone, in which cron reads schedules. Cron ignores TZ.

    UTC if the machine has no zone, or if /etc/localtime is a broken link, like the C library.
    The zone always has a key, and PostgreSQL understands it too.
    """
    try:
        data = _LOCALTIME.read_bytes()
        linked = str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
        return _zone(data, linked or _configured_name())
    except (OSError, ValueError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=4)
def _zone(data: bytes, name: str) -> ZoneInfo:
    """The zone with this content: the one of this name, else any with the same content."""
    names = (name, "UTC", *_main_names(), *sorted(available_timezones()))
    for candidate in filter(None, names):
        if _is_file_of(candidate, data):
            return ZoneInfo(candidate)
    # An administrator's own zone has no name. The last line of its file is a POSIX rule, which we
    # use as the key (RFC 8536, section 3.3).
    rule = data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")
    return ZoneInfo.from_file(io.BytesIO(data), key=rule)


def _configured_name() -> str:
    """The name in Debian's /etc/timezone. It can be out of date."""
    try:
        return _TIMEZONE.read_text().strip()
    except (OSError, ValueError):
        return ""


def _main_names() -> list[str]:
    """The zones that are not copies of others, from tzdata's zone1970.tab."""
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
    """The distance to now in the largest whole unit: "5 min ago", "in 2 h"."""
    seconds = (moment - now).total_seconds()
    size = abs(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if size >= length:
            text = f"{int(size // length)} {unit}"
            break
    else:
        text = f"{int(size)} s"
    return f"in {text}" if seconds > 0 else f"{text} ago"
