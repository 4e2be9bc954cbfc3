"""Put the tests where the crontab, the home and the environment of the user are out of reach.

Importing this module does it. Nothing of PiTasker may be imported before."""

import ctypes
import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

SPOOL = Path("/var/spool/cron/crontabs")

_CLONE_NEWNS, _CLONE_NEWUSER = 0x0002_0000, 0x1000_0000
_MS_REC, _MS_PRIVATE = 0x4000, 0x4_0000


def _call(function: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _hide_the_spool() -> None:
    """Put this process where the spool is an empty one of its own."""
    user, group = os.getuid(), os.getgid()
    if user == 0:
        _call("unshare", _CLONE_NEWNS)
    else:
        _call("unshare", _CLONE_NEWUSER | _CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _call("mount", b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    _call("mount", b"none", os.fsencode(SPOOL), b"tmpfs", 0, b"mode=1730")
    with suppress(OSError):  # without root there is neither that group nor another user
        # Ordinary users enter it by the group of the `crontab` program.
        os.chown(SPOOL, -1, Path("/usr/bin/crontab").stat().st_gid)


def _hide_the_environment() -> None:
    for name in list(os.environ):
        if name.startswith(("PITASKER", "PG", "XDG_")) or name in (
            "DATABASE_URL",
            "EDITOR",
            "VISUAL",
            "CRONTAB_NOHEADER",
        ):
            del os.environ[name]
    os.environ["HOME"] = tempfile.mkdtemp(prefix="pitasker-tests-home-")
    # Children are started from anywhere.
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])


def _heed_signals() -> None:
    """A shell that starts the tests in the background has them ignore these, and all they start."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


if not SPOOL.is_dir():
    pytest.exit("The tests need cron: `sudo apt install cron`, or `./pitasker test` as root.", 3)
try:
    _hide_the_spool()
except OSError as problem:
    pytest.exit(f"The tests need a private mount namespace, and cannot have one: {problem}.", 3)
_hide_the_environment()
_heed_signals()
