"""Isolate the tests from the user's crontab, home and environment.

The import of this module does it. Import PiTasker only after it."""

import ctypes
import os
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

SPOOL = Path("/var/spool/cron/crontabs")
MEMORY = Path(tempfile.mkdtemp(prefix="pitasker-tests-"))
"""A folder in memory: tests need not write to a disk."""

_CLONE_NEWNS, _CLONE_NEWUSER = 0x0002_0000, 0x1000_0000
_MS_REC, _MS_PRIVATE, _MNT_DETACH = 0x4000, 0x4_0000, 0x2


def _call(function: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _hide_spool() -> None:
    """Enter a mount namespace with an empty crontab spool and a folder in memory."""
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
    _call("mount", b"none", os.fsencode(MEMORY), b"tmpfs", 0, b"mode=755")
    with suppress(OSError):  # without root, the namespace has no other user or group
        # The `crontab` program enters the spool by its group.
        os.chown(SPOOL, -1, Path("/usr/bin/crontab").stat().st_gid)


def _hide_environment() -> None:
    """Remove variables that name the user's home, database or editor."""
    for name in list(os.environ):
        if name.startswith(("PITASKER", "PG", "XDG_")) or name in (
            "DATABASE_URL",
            "EDITOR",
            "VISUAL",
            "CRONTAB_NOHEADER",
        ):
            del os.environ[name]
    home = MEMORY / "home"
    home.mkdir()
    os.environ["HOME"] = str(home)
    # httpx reads all certificates for each client, which takes 50 ms. No test needs any.
    os.environ.pop("SSL_CERT_FILE", None)
    certificates = MEMORY / "certificates"
    certificates.mkdir()
    os.environ["SSL_CERT_DIR"] = str(certificates)
    # Servers are started from any folder.
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])


def _keep_compiled_modules() -> None:
    """Let Python store compiled files, whatever the environment says.

    Otherwise each server would compile the whole project, and each test process all tests.
    """
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def _restore_signals() -> None:
    """Reset signals that nohup, or a shell's background jobs, ignore."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def remove_memory() -> None:
    """Remove the folder in memory and its mount point."""
    _call("umount2", os.fsencode(MEMORY), _MNT_DETACH)
    MEMORY.rmdir()


if not SPOOL.is_dir():
    pytest.exit("The tests need cron: `sudo apt install cron`, or `./pitasker test` as root.", 3)
try:
    _hide_spool()
except OSError as problem:
    pytest.exit(f"The tests need a private mount namespace, and cannot have one: {problem}.", 3)
_hide_environment()
_keep_compiled_modules()
_restore_signals()
