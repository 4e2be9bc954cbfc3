"""Files with secrets: readable by their owner only, and never half written."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import explained


def write(file: Path, data: Any) -> None:
    """Replace a file by data as JSON. After a power cut it is the old file or the new one.

    Raises OSError if the disk refuses.
    """
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        os.fchmod(out.fileno(), 0o600)  # a file left by a crash keeps its old mode
        json.dump(data, out)
        out.flush()
        os.fsync(out.fileno())
    new.rename(file)


@contextmanager
def locked(environment: Environment, name: str) -> Iterator[Path]:
    """Lock a file of the home folder while it is changed: one process at a time.

    Raises ExecutionError if the disk refuses.
    """
    file = environment.home / name
    with explained(f"{file} cannot be written", "Free some space, then try again."):
        environment.make_home()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(file.with_suffix(".lock"), flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(handle)
