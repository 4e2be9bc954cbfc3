"""Questions about paths from outside. None of them raises.

`Path.exists` and similar methods raise for a folder that this user may not enter, and for a name
that is too long. Here such a path counts as missing, because this user cannot use it.
"""

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pitasker_core.base.identity import account


def exists(path: str | Path) -> bool:
    """Whether a path exists for this user."""
    return status(path) is not None


def is_folder(path: str | Path) -> bool:
    """Whether a path is a folder for this user."""
    result = status(path)
    return result is not None and stat.S_ISDIR(result.st_mode)


def is_file(path: str | Path) -> bool:
    """Whether a path is a regular file for this user."""
    result = status(path)
    return result is not None and stat.S_ISREG(result.st_mode)


def is_enterable(path: str | Path) -> bool:
    """Whether this user can change to a folder."""
    return is_folder(path) and os.access(path, os.X_OK)


def is_program(path: str | Path) -> bool:
    """Whether a path is a file that this user can execute."""
    return is_file(path) and os.access(path, os.X_OK)


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """This user's home: HOME, or the one in the password file if HOME is empty."""
    return Path(environment.get("HOME") or account().pw_dir)


def expand(path: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The path with `~` or `~user` replaced by that home."""
    first, _, rest = path.partition("/")
    if first == "~":
        return home(environment) / rest
    with suppress(RuntimeError):  # there is no such user
        return Path(path).expanduser()
    return Path(path)


def resolve(path: str | Path) -> Path | None:
    """The path without links; None if this user cannot reach its target."""
    try:
        return Path(path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links that lead to each other
        return None


def status(path: str | Path) -> os.stat_result | None:
    """The result of stat(2), which follows links; None if the path cannot be reached."""
    try:
        return Path(path).stat()
    except (OSError, ValueError):  # ValueError: a NUL byte, or text that is no file name
        return None
