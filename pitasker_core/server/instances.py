"""The PiTasker processes of one home: list them, find their addresses, and stop them.

Each process holds a lock on its own file. The lock ends with the process, so a file left by a
crash never counts as a process, even if its process id is in use again.
"""

import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError
from pitasker_core.base.text import Code, Text
from pitasker_core.server import local_socket

STOP_LIMIT = 40.0
"""Seconds after which a process that was asked to end counts as stuck."""


@dataclass(frozen=True)
class Instance:
    """A running server or agent.

    `addresses` are the server's addresses, best first. `started` is a Unix time.
    """

    pid: int
    kind: str
    port: int | None
    addresses: list[str]
    started: float


@contextmanager
def registered(
    environment: Environment, kind: str, port: int | None = None, addresses: list[str] | None = None
) -> Iterator[None]:
    """Let other processes of this home find this process during a `with` block.

    If the disk cannot be written, the process runs but is not found.
    """
    instance = Instance(os.getpid(), kind, port, addresses or [], time.time())
    file = environment.running / f"{instance.pid}.json"
    new = file.with_suffix(".new")
    handle = None
    try:
        environment.make_home()
        file.parent.mkdir(mode=0o700, exist_ok=True)
        new.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(new, flags, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, json.dumps(asdict(instance)).encode())
        new.rename(file)  # locked and complete before anybody can see it
    except OSError:
        with suppress(OSError):
            new.unlink()
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def list_running(environment: Environment) -> list[Instance]:
    """The running processes of this home, newest first."""
    running = [_read(file) for file in environment.running.glob("*.json")]
    return sorted(filter(None, running), key=lambda instance: -instance.started)


def stop(environment: Environment) -> list[Instance]:
    """Stop every process of this home and return them. Raises ExecutionError if one stays."""
    with ExitStack() as stack:
        handles = {}
        for instance in list_running(environment):
            with suppress(ProcessLookupError):
                handles[instance.pid] = os.pidfd_open(instance.pid)
                stack.callback(os.close, handles[instance.pid])
        # Before its handle was opened, a process id may have gone to another process.
        # Since then it cannot, so list them again.
        stopped = [instance for instance in list_running(environment) if instance.pid in handles]
        for instance in stopped:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handles[instance.pid], signal.SIGTERM)
        end = time.monotonic() + STOP_LIMIT
        for instance in stopped:
            left = max(0.0, end - time.monotonic())
            if not select.select([handles[instance.pid]], [], [], left)[0]:
                raise ExecutionError(
                    f"Process {instance.pid} of PiTasker did not end in {STOP_LIMIT:.0f} seconds.",
                    Text(
                        Code(f"kill -9 {instance.pid}"),
                        " ends it at once. Your crontab stays as it is.",
                    ),
                )
    return stopped


def _read(file: Path) -> Instance | None:
    """The instance that holds the lock on a file. None, and its files are removed, if none does."""
    try:
        with file.open("rb") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Instance(**json.loads(opened.read()))
            file.unlink(missing_ok=True)
            file.with_suffix(local_socket.SUFFIX).unlink(missing_ok=True)
    except (OSError, ValueError, TypeError):
        pass
    return None
