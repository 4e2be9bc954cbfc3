"""The recorder's copy in the data folder: entries name it, so that no job depends on the rest of
PiTasker or on where it lies."""

import shutil
from pathlib import Path

from pitasker_core.base import paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.recording import FILE_NAME

_ORIGINAL = Path(__file__).parent.parent / "runs" / "recorder.py"
_PYTHON = Path("/usr/bin/python3")
_CRON_PATH = "/usr/local/bin:/usr/bin:/bin"


def path(environment: Environment) -> Path:
    """Where it lies: what entries of the crontab name."""
    return environment.home / FILE_NAME


def put_in_place(environment: Environment) -> Path:
    """Make sure that the copy is there, is that of this version, and can be started.

    Raises ExecutionError when the disk cannot be written, does not let programs be started, or
    there is no Python for it.
    """
    copy = path(environment)
    try:
        environment.make_home()
        environment.spool.mkdir(mode=0o700, exist_ok=True)
        wanted = _content()
        if not paths.exists(copy) or copy.read_bytes() != wanted:
            new = copy.with_suffix(".new")
            new.write_bytes(wanted)
            new.chmod(0o700)
            new.rename(copy)
        # On a disk that is mounted without the right to start programs nobody has it.
        starts = shutil.which(copy) is not None
    except OSError as problem:
        raise ExecutionError(f"{copy} cannot be written: {problem.strerror}.") from problem
    if not starts:
        raise ExecutionError(
            f"{copy} cannot be started: its disk is mounted with noexec.",
            "Runs cannot be recorded there. Set PITASKER_HOME to a folder on another disk.",
        )
    return copy


def refresh(environment: Environment) -> None:
    """Bring a copy that is there up to this version; see `put_in_place`."""
    if paths.exists(path(environment)):
        put_in_place(environment)


def _content() -> bytes:
    """The recorder, with the system's Python in its first line."""
    original = _ORIGINAL.read_bytes()
    if paths.exists(_PYTHON):
        return original
    found = shutil.which("python3", path=_CRON_PATH)
    if found is None:
        raise ExecutionError(
            "There is no python3 among the system's programs to record runs with.",
            Text("Install it (", Code("sudo apt install python3"), ")."),
        )
    return original.replace(bytes(_PYTHON), found.encode(), 1)
