"""The copy of the recorder in the data folder, which entries name.

So a job does not depend on the rest of PiTasker, or on its folder.
"""

import shutil
from pathlib import Path

from pitasker_core.base import paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, explained
from pitasker_core.base.text import marked
from pitasker_core.crontab.recording import FILE_NAME

_ORIGINAL = Path(__file__).parent.parent / "runs" / "recorder.py"
_PYTHON = Path("/usr/bin/python3")
_CRON_PATH = "/usr/local/bin:/usr/bin:/bin"


def path(environment: Environment) -> Path:
    """The path of the copy, as in entries of the crontab."""
    return environment.home / FILE_NAME


def put_in_place(environment: Environment) -> Path:
    """Make sure that the copy exists, has this version, and can be executed.

    Raises ExecutionError if the disk cannot be written or is mounted with noexec, or if the system
    has no Python.
    """
    copy = path(environment)
    with explained(f"{copy} cannot be written"):
        environment.make_home()
        environment.spool.mkdir(mode=0o700, exist_ok=True)
        content = _content()
        if not paths.exists(copy) or copy.read_bytes() != content:
            new = copy.with_suffix(".new")
            new.write_bytes(content)
            new.chmod(0o700)
            new.rename(copy)
        # False on a disk that is mounted with noexec.
        starts = shutil.which(copy) is not None
    if not starts:
        raise ExecutionError(
            f"{copy} cannot be started: its disk is mounted with noexec.",
            "Runs cannot be recorded there. Set PITASKER_HOME to a folder on another disk.",
        )
    return copy


def refresh(environment: Environment) -> None:
    """Update an existing copy to this version; see `put_in_place`."""
    if paths.exists(path(environment)):
        put_in_place(environment)


def _content() -> bytes:
    """The recorder's text, with the system's Python in its first line."""
    original = _ORIGINAL.read_bytes()
    if paths.exists(_PYTHON):
        return original
    python = shutil.which("python3", path=_CRON_PATH)
    if python is None:
        raise ExecutionError(
            "Recording runs needs the system's python3, which is not installed.",
            marked("Install it (`sudo apt install python3`)."),
        )
    return original.replace(bytes(_PYTHON), python.encode(), 1)
