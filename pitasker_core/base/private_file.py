"""Files with secrets: readable by their owner only, and never half written."""

import json
import os
from pathlib import Path
from typing import Any


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
