"""When the machine was on, and whether its clock is right.

Writes one small file, PiTasker's sign of life.
"""

import ctypes
import json
import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pitasker_core.base import clock, paths
from pitasker_core.base.environment import Environment
from pitasker_core.runs.missed.offline_periods import SIGN, Boot, Sign

_STOPPED = b"stopped\n"
_TIME_ERROR = 5
"""The result of adjtimex(2) while the clock is not synchronised."""
_TIME_SERVICES = {"systemd-timesyn", "chronyd", "ntpd", "ntpsec", "openntpd"}
_OFFLINE = timedelta(hours=1)
"""After this time without a time server, a machine with a battery clock is trusted."""


@dataclass(frozen=True)
class Moment:
    """The clocks at one moment."""

    now: datetime
    uptime: timedelta
    """Since the boot, including sleep."""
    awake: timedelta
    """Since the boot, without sleep."""
    is_trusted: bool = True
    """False while the clock of a machine without a battery clock may still be wrong."""

    @property
    def booted_at(self) -> datetime:
        """The time of the boot by the current clock."""
        return self.now - self.uptime


def look() -> Moment:
    """The clocks now."""
    uptime = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    awake = timedelta(seconds=time.clock_gettime(time.CLOCK_MONOTONIC))
    return Moment(clock.now(), uptime, awake, is_synchronised() is not False or _is_own(uptime))


def is_synchronised() -> bool | None:
    """Whether the clock is synchronised; None if the kernel does not say."""
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024))
    return None if answer < 0 else answer != _TIME_ERROR


def _is_own(uptime: timedelta) -> bool:
    """Whether to trust a clock that nothing has set since the boot."""
    if paths.exists("/dev/rtc0") and uptime > _OFFLINE:
        return True
    return not _has_time_service()


def _has_time_service() -> bool:
    if paths.exists("/run/systemd/timesync"):
        return True
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if (
                process.name.isdecimal()
                and (process / "comm").read_text().strip() in _TIME_SERVICES
            ):
                return True
    return False


def boots() -> list[Boot]:
    """The boots in this user's journal, oldest first. Starts a process."""
    command = ["journalctl", "-q", "--no-pager", "--list-boots", "-o", "json"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        return [
            Boot(_time(boot["first_entry"]), _time(boot["last_entry"]))
            for boot in json.loads(done.stdout)
        ]
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        return []


def last_sign(environment: Environment) -> Sign | None:
    """The last sign of life, of this PiTasker process or an earlier one."""
    file = _file(environment)
    try:
        return Sign(_time(file.stat().st_mtime_ns // 1000), file.read_bytes() == _STOPPED)
    except OSError:
        return None


def say_alive(environment: Environment, now: datetime) -> None:
    """Leave a sign of life. Only every few minutes, because each write wears an SD card."""
    sign = last_sign(environment)
    if sign is None or sign.stopped or abs(now - sign.at) >= SIGN:
        with suppress(OSError):
            _file(environment).write_bytes(b"")
            os.utime(_file(environment), (now.timestamp(), now.timestamp()))


def say_stopped(environment: Environment) -> None:
    """Record that PiTasker stops while the machine stays on, unless the machine shuts down."""
    if last_sign(environment) and not _is_going_off():
        with suppress(OSError):
            _file(environment).write_bytes(_STOPPED)


def _is_going_off() -> bool:
    try:
        done = subprocess.run(
            ["systemctl", "is-system-running"], capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.strip() == b"stopping"


def _file(environment: Environment) -> Path:
    return environment.home / "alive"


def _time(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC)
