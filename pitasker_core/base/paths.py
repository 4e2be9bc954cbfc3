"""Questions about a path that a crontab, a setting or a person names. None of them raises.

`Path.exists` and its like raise for a folder that this user may not enter, and for a name that is
too long. Here such a path counts as one that is not there: this user cannot use it either.
"""

import os
import pwd
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def exists(path: str | Path) -> bool:
    """Whether this user can reach something at a path."""
    return status(path) is not None


def is_folder(path: str | Path) -> bool:
    """Whether this user can reach a folder at a path."""
    found = status(path)
    return found is not None and stat.S_ISDIR(found.st_mode)


def is_file(path: str | Path) -> bool:
    """Whether this user can reach a plain file at a path."""
    found = status(path)
    return found is not None and stat.S_ISREG(found.st_mode)


def is_enterable(path: str | Path) -> bool:
    """Whether a process of this user can start in a path."""
    return is_folder(path) and os.access(path, os.X_OK)


def is_program(path: str | Path) -> bool:
    """Whether this user can start the file at a path."""
    found = status(path)
    return found is not None and stat.S_ISREG(found.st_mode) and os.access(path, os.X_OK)


def home(environment: Mapping[str, str] = os.environ) -> Path:
    """This user's home: HOME, or what the password file says where HOME is empty."""
    return Path(environment.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir)


def expand(path: str, environment: Mapping[str, str] = os.environ) -> Path:
    """The path with its `~` or `~user` as the home that it stands for."""
    first, _, rest = path.partition("/")
    if first == "~":
        return home(environment) / rest
    with suppress(RuntimeError):  # there is no such user
        return Path(path).expanduser()
    return Path(path)


def resolve(path: str | Path) -> Path | None:
    """The path without links, or None when it leads to nothing that this user can reach."""
    try:
        return Path(path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links that lead to each other
        return None


def status(path: str | Path) -> os.stat_result | None:
    """What stat(2) says of a path, links followed, or None for one that cannot be reached."""
    try:
        return Path(path).stat()
    except (OSError, ValueError):  # ValueError: a NUL byte, or text that is no file name
        return None
