"""Ask a running PiTasker process of the same home and account, over a UNIX socket.

A small command then needs no database packages, whose import takes a second. The socket is in a
folder that only its owner can enter. Both ends check the account of the other (SO_PEERCRED,
unix(7)), and no secret is sent. A process answers only if it would give the same answer as the
command: for the same database, crontab program, host and mount namespace, from the same code.
"""

import hashlib
import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any

from pitasker_core import __version__
from pitasker_core.base import paths
from pitasker_core.base.environment import Environment

SUFFIX = ".socket"
TIME_LIMIT = 5.0
"""Seconds to wait for an answer, before the command computes it itself."""

_CODE_TIME = max(
    file.stat().st_mtime_ns for file in Path(__file__).with_name("answers").glob("*.py")
)
"""When the code of the answers was changed. After an upgrade in place, an old process runs on."""

_MOST_BYTES = 64 * 2**20
_CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group


def get(environment: Environment, question: str) -> Any:
    """Return an answer as JSON data: of a running process, or else computed here.

    Raises what computing raises.
    """
    answer = ask(environment, question)
    if answer is None:
        from pitasker_core.server import local_answers  # imports the database's packages

        answer = local_answers.compute(environment, question)
    return answer


def ask(environment: Environment, question: str) -> Any:
    """Return the answer of a running process as JSON data; None if no process gives it."""
    try:
        names = [name for name in os.listdir(environment.running) if name.endswith(SUFFIX)]  # noqa: PTH208
    except OSError:
        return None
    for name in names:
        with suppress(OSError, ValueError):
            return json.loads(_exchange(environment.running / name, environment, question))
    return None


def _exchange(path: Path, environment: Environment, question: str) -> bytes:
    with address(path) as name, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIME_LIMIT)
        connection.connect(name)
        if not is_own(connection):
            raise PermissionError
        connection.sendall(f"{question}\n{context(environment)}\n".encode())
        with connection.makefile("rb") as reader:
            return reader.read(_MOST_BYTES)


@contextmanager
def address(path: Path) -> Iterator[str]:
    """Give a short name of a socket's path. A socket's path has at most 107 bytes (unix(7))."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def is_own(connection: socket.socket) -> bool:
    """Whether the process at the other end runs under our account."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return bool(_CREDENTIALS.unpack(data)[1] == os.geteuid())


def context(environment: Environment) -> str:
    """Return a digest of all that an answer depends on, apart from the home."""
    of_postgres = sorted(item for item in os.environ.items() if item[0].startswith("PG"))
    facts = [
        __version__,
        _CODE_TIME,
        environment.database_url,
        of_postgres if environment.database_url else [],
        _program(environment.crontab_program),
        environment.demo,
        astuple(environment.identity),
        str(Path("/proc/self/ns/mnt").readlink()),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _program(name: str) -> str:
    """Return the path of the program that this process would run."""
    if "/" in name:
        return str(Path(name).absolute())
    candidates = [f"{folder}/{name}" for folder in os.get_exec_path()]
    return next(filter(paths.is_program, candidates), name)
