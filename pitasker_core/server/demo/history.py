"""Three weeks of made-up runs for the demo. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any

from pitasker_core.runs.model import RunSource

DAYS = 21
_SUCCESS = b"""\
\x1b[1mBackup of /srv/photos\x1b[0m
checking the disk ... \x1b[32mok\x1b[0m
copied: 2026/autumn/IMG_2041.jpg
copied: 2026/autumn/IMG_2042.jpg
  0%\r 35%\r 80%\r100%
2 new, 0 changed, 18234 unchanged. \x1b[32mDone.\x1b[0m
"""
_DISK_FULL = b"""\
\x1b[1mBackup of /srv/photos\x1b[0m
checking the disk ... \x1b[33mslow to answer\x1b[0m
copied: 2026/autumn/IMG_2043.jpg
\x1b[31merror:\x1b[0m /mnt/backup/2026/autumn/IMG_2044.jpg: \x1b[1;31mNo space left on device\x1b[0m
"""
_NO_SENSOR = b"i2c bus 1: OSError: [Errno 121] Remote I/O error\n"
_NO_HOST = b"""\
asking weather.example.org for the map of today
curl: (6) Could not resolve host: weather.example.org
"""

Run = dict[str, Any]


class Clock:
    """The time of the demo's start, in the machine's zone."""

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        self.now = now.astimezone(zone)

    def night(self, nights: int, hour: int, minute: int) -> datetime:
        """Return a time in the last complete night (1), the night before it (2), and so on."""
        day = self.now - timedelta(days=nights - 1 if self.now.hour >= 8 else nights)
        return day.replace(hour=hour, minute=minute, second=1, microsecond=0)

    @property
    def off(self) -> tuple[datetime, datetime]:
        """The start and end of last night's simulated power cut."""
        return self.night(1, 1, 30), self.night(1, 7, 40)

    def is_off(self, at: datetime) -> bool:
        """Whether a time is in the simulated power cut."""
        off, on = self.off
        return off < at < on


def runs_of(name: str, clock: Clock) -> list[Run]:
    """Return the runs of a task as values of rows, oldest first."""
    make = _MAKERS.get(name)
    return sorted(make(clock), key=lambda run: run["started_at"]) if make else []


def unmanaged(clock: Clock) -> Iterator[Run]:
    """Yield the observed runs of the unmanaged entry."""
    for nights in range(2, 9):
        yield _observed(clock.night(nights, 1, 45))


def _backup(clock: Clock) -> Iterator[Run]:
    for nights in range(DAYS, 2, -1):
        yield _recorded(clock.night(nights, 2, 0), 380 + 37 * nights % 90, 0, _SUCCESS)
    yield _recorded(clock.night(2, 2, 0), 95, 2, _DISK_FULL)
    yield _missed(clock.night(1, 2, 0), clock.night(1, 2, 0), 1, clock)


def _dump(clock: Clock) -> Iterator[Run]:
    for nights in range(DAYS, 1, -1):
        yield _recorded(clock.night(nights, 2, 0), 41 + nights % 7, 0, b"12.4 MB\n")
    yield _missed(clock.night(1, 2, 0), clock.night(1, 2, 0), 1, clock)


def _copy(clock: Clock) -> Iterator[Run]:
    for nights in range(DAYS, 1, -1):
        slow = nights == 5
        run = _recorded(clock.night(nights, 2, 0), 2_900 if slow else 610, 0, b"Done.\n")
        yield {**run, "slow": slow}
    yield _missed(clock.night(1, 2, 0), clock.night(1, 2, 0), 1, clock)


def _sensor(clock: Clock) -> Iterator[Run]:
    last = clock.now.replace(second=1, microsecond=0)
    last -= timedelta(minutes=clock.now.minute % 5 + 5)
    for count in range(DAYS * 24 * 12):
        at = last - timedelta(minutes=5 * count)
        if clock.is_off(at):
            continue
        if count % 700 == 20:
            yield _recorded(at, 5.3, 1, _NO_SENSOR)
        else:
            run = _recorded(at, 2.1 + count % 7 / 10, 0, b"")
            yield {**run, "slow": True} if count == 40 else run
    off, on = clock.off
    yield _missed(off, on - timedelta(minutes=5), 74, clock)


def _map(clock: Clock) -> Iterator[Run]:
    last = clock.now.replace(minute=15, second=1, microsecond=0)
    last -= timedelta(hours=1 if clock.now.minute <= 20 else 0)
    for count in range(DAYS * 24):
        at = last - timedelta(hours=count)
        if not clock.is_off(at):
            yield _recorded(at, 1.4, 6 if count < 9 else 0, _NO_HOST if count < 9 else b"saved\n")


def _report(clock: Clock) -> Iterator[Run]:
    for nights in range(DAYS, 1, -1):
        at = clock.night(nights, 7, 0)
        if at.weekday() == 0:
            yield _recorded(at, 12.4, 0, b"sent to 3 people\n")


def _certificates(clock: Clock) -> Iterator[Run]:
    for nights in range(DAYS, 1, -1):
        at = clock.night(nights, 3, 17)
        if at.weekday() == 0:
            yield _observed(at)


_MAKERS: Mapping[str, Callable[[Clock], Iterator[Run]]] = MappingProxyType(
    {
        "Backup the photos": _backup,
        "Dump the database": _dump,
        "Off-site copy": _copy,
        "Greenhouse temperature": _sensor,
        "Weather map": _map,
        "Weekly report": _report,
        "Renew certificates": _certificates,
    }
)


def _recorded(at: datetime, seconds: float, code: int, output: bytes) -> Run:
    return {
        "source": RunSource.RECORDED,
        "started_at": at,
        "ended_at": at + timedelta(seconds=seconds),
        "exit_code": code,
        "user_seconds": seconds / 9,
        "system_seconds": seconds / 21,
        "peak_kb": 9_216,
        "output": output,
        "bytes": len(output),
        "slow": False,
    }


def _missed(first: datetime, last: datetime, times: int, clock: Clock) -> Run:
    off, on = clock.off
    return {
        "source": RunSource.MISSED,
        "started_at": first,
        "ended_at": last,
        "missed": times,
        "note": f"the machine was off from {off:%H:%M} to {on:%H:%M}",
    }


def _observed(at: datetime) -> Run:
    return {"source": RunSource.OBSERVED, "started_at": at}
