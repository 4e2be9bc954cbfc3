"""Start, end and find processes."""

import os
from contextlib import suppress
from pathlib import Path

from pitasker_core import database


def start_child(environment, work):
    """Run a function in a forked process with its own connections. Returns the process id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            database.connect(environment).dispose(close=False)  # they belong to the parent
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def wait_for_child(child):
    """Wait for the end of a child process. Returns its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_child(environment, work):
    """Run a function in a forked process with its own connections. Returns the exit status."""
    return wait_for_child(start_child(environment, work))


def is_there(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False
