"""Whether the cron daemon runs.

Only the daemon that reads this machine's spool counts. A cron in a container also shows in /proc,
and a dead one can leave its pid file.
"""

import os
from pathlib import Path

_NAMES = {"cron", "crond"}

PID_FILES = (Path("/run/crond.pid"), Path("/run/cron.pid"))
"""Where Debian's cron, cronie and others write their process id."""


def is_alive(proc: Path = Path("/proc"), pid_files: tuple[Path, ...] = PID_FILES) -> bool | None:
    """Whether this machine's cron daemon runs; None if this user cannot tell.

    The process in the pid file is the daemon, if it runs. Otherwise any cron process counts that
    shares our mount namespace.
    """
    if any(_is_daemon(proc / number) for number in map(_number, pid_files) if number):
        return True
    processes = [process for process in proc.iterdir() if process.name.isdecimal()]
    shared = {_shares_mounts(process, proc) for process in processes if _is_daemon(process)}
    if True in shared or None in shared:
        return True if True in shared else None
    # If we see other users' processes, we would also see root's cron.
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
    """Whether a process is a running cron in our own pid namespace.

    A process in a container has a second number there: `NSpid` lists both (proc(5)).
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
    """Whether a process shares our mount namespace, and so our spool; None if hidden."""
    try:
        return (process / "ns/mnt").readlink() == (proc / "self/ns/mnt").readlink()
    except OSError:
        return None
