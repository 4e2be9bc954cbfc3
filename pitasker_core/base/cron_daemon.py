"""Is cron itself alive? Without it the best crontab does nothing.

The cron that counts is the one that reads this machine's spool: not one in a container, whose
processes show here as well, and not the remains of one that ended.
"""

import os
from pathlib import Path

_NAMES = {"cron", "crond"}

PID_FILES = (Path("/run/crond.pid"), Path("/run/cron.pid"))
"""Where a daemon writes its process number: Debian's and cronie's, and some others'."""


def is_alive(proc: Path = Path("/proc"), pid_files: tuple[Path, ...] = PID_FILES) -> bool | None:
    """Whether the cron daemon of this machine runs; None when this user cannot tell.

    The daemon that its pid file names is it, if it runs. A file that a dead daemon left says
    nothing, so then any daemon is looked for that shares our view of the machine.
    """
    if any(_is_daemon(proc / number) for number in map(_number, pid_files) if number):
        return True
    processes = [process for process in proc.iterdir() if process.name.isdecimal()]
    shared = {_shares_mounts(process, proc) for process in processes if _is_daemon(process)}
    if True in shared or None in shared:
        return True if True in shared else None
    # Who sees other users' processes would see root's cron.
    return False if os.getuid() == 0 or any(map(_is_others, processes)) else None


def _number(pid_file: Path) -> str | None:
    try:
        number = pid_file.read_bytes()[:32].decode("ascii", "replace").strip()
    except OSError:
        return None
    return number if number.isdecimal() else None


def _is_others(process: Path) -> bool:
    try:
        return process.stat().st_uid != os.getuid()
    except OSError:
        return False


def _is_daemon(process: Path) -> bool:
    """Whether a process is a cron that runs, and one of our own process namespace.

    A process of a container has a number of its own there: `NSpid` lists both (proc(5)).
    """
    try:
        if (process / "comm").read_text().strip() not in _NAMES:
            return False
        fields = dict(
            line.split(":", 1)
            for line in (process / "status").read_text(errors="replace").splitlines()
            if ":" in line
        )
    except OSError:
        return False
    is_over = fields.get("State", "").strip()[:1] in ("Z", "X")
    return not is_over and len(fields.get("NSpid", "1").split()) == 1


def _shares_mounts(process: Path, proc: Path) -> bool | None:
    """Whether a process sees the same files as we do, and so our spool; None if that is hidden."""
    try:
        return (process / "ns/mnt").readlink() == (proc / "self/ns/mnt").readlink()
    except OSError:
        return None
