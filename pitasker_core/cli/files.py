"""Files that a person names on the command line."""

import os
import sys
from pathlib import Path

from pitasker_core.base.errors import ExecutionError, NotFound


def read_file(name: str, limit: int | None = None) -> bytes:
    """Read a file, or standard input for `-`. Returns at most limit + 1 bytes. Raises NotFound."""
    size = -1 if limit is None else limit + 1
    try:
        if name == "-":
            return sys.stdin.buffer.read(size)
        with Path(name).open("rb") as file:
            return file.read(size)
    except OSError as problem:
        raise NotFound(f"{name} cannot be read: {problem.strerror}.") from problem


def write_file(name: str | Path, data: bytes) -> None:
    """Write a file. Only the owner may read a new file: commands may hold secrets.

    Raises ExecutionError.
    """
    try:
        with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
    except OSError as problem:
        raise ExecutionError(f"{name} cannot be written: {problem.strerror}.") from problem
