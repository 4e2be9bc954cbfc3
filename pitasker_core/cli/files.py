import os
import sys
from pathlib import Path

from pitasker_core.base.errors import NotFound, explained


def read_file(name: str, limit: int | None = None) -> bytes:
    """Read a file, or standard input for `-`. Returns at most limit + 1 bytes. Raises NotFound."""
    size = -1 if limit is None else limit + 1
    with explained(f"{name} cannot be read", error=NotFound):
        if name == "-":
            return sys.stdin.buffer.read(size)
        with Path(name).open("rb") as file:
            return file.read(size)


def write_file(name: str | Path, data: bytes) -> None:
    """Write a file. A new one is for its owner only: it may hold secrets. Raises ExecutionError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with explained(f"{name} cannot be written"), os.fdopen(os.open(name, flags, 0o600), "wb") as f:
        f.write(data)
