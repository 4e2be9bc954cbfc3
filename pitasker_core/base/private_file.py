"""Files that hold secrets: for their owner alone, and never half written."""

import json
import os
from pathlib import Path
from typing import Any


def write(file: Path, data: Any) -> None:
    """Put data, as JSON, in a file's place; after a power cut it is the old one or the new.

    Raises OSError as the disk has it.
    """
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        os.fchmod(out.fileno(), 0o600)  # also one that was left behind
        json.dump(data, out)
        out.flush()
        os.fsync(out.fileno())
    new.rename(file)
