"""When the machine was on, and whether its clock can be believed. Looks only, but for one small
file by which it is known later that the machine was on now."""

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
"""What adjtimex(2) answers while nothing keeps the clock right."""
_TIME_SERVICES = {"systemd-timesyn", "chronyd", "ntpd", "ntpsec", "openntpd"}
_OFFLINE = timedelta(hours=1)
"""A machine with a clock of its own that reached no other for so long is believed."""


@dataclass(frozen=True)
class Moment:
    """What the clocks say at one time."""

    now: datetime
    uptime: timedelta
    """Since the boot, sleep included."""
    awake: timedelta
    """Since the boot, without the time that it slept."""
    is_trusted: bool = True
    """False while the clock may still be the wrong one of a machine without a battery clock."""

    @property
    def booted_at(self) -> datetime:
        """When it was booted, by the clock as it is now."""
        return self.now - self.uptime


def look() -> Moment:
    """What the clocks say now."""
    uptime = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    awake = timedelta(seconds=time.clock_gettime(time.CLOCK_MONOTONIC))
    return Moment(clock.now(), uptime, awake, is_synchronised() is not False or _is_own(uptime))


def is_synchronised() -> bool | None:
    """Whether something keeps the clock right; None when the kernel does not say."""
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024))
    return None if answer < 0 else answer != _TIME_ERROR


def _is_own(uptime: timedelta) -> bool:
    """Whether a clock that nothing has set since the boot is to be believed."""
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
    """The boots that this user's journal knows, oldest first, this one last; it takes a process."""
    command = ["journalctl", "-q", "--no-pager", "--list-boots", "-o", "json"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        found = json.loads(done.stdout)
        return [Boot(_time(one["first_entry"]), _time(one["last_entry"])) for one in found]
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError):
        return []


def last_sign(environment: Environment) -> Sign | None:
    """What was said last, by this PiTasker or one before it."""
    file = _file(environment)
    try:
        return Sign(_time(file.stat().st_mtime_ns // 1000), file.read_bytes() == _STOPPED)
    except OSError:
        return None


def say_alive(environment: Environment, now: datetime) -> None:
    """Say that the machine is on, every few minutes: an SD card is worn by each write."""
    said = last_sign(environment)
    if said is None or said.stopped or abs(now - said.at) >= SIGN:
        with suppress(OSError):
            _file(environment).write_bytes(b"")
            os.utime(_file(environment), (now.timestamp(), now.timestamp()))


def say_stopped(environment: Environment) -> None:
    """Say that PiTasker ends while the machine stays on, unless the machine goes off as well."""
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
