"""Run a task now, in the environment that cron would give it."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from pitasker_core import database
from pitasker_core.crontab import environment
from pitasker_core.crontab.document import Crontab, encode, split_stdin
from pitasker_core.database.tables import EventRow
from pitasker_core.errors import ExecutionError, NotFound, PiTaskerError, ReadOnly
from pitasker_core.runs import spool
from pitasker_core.settings import Settings
from pitasker_core.sync import service
from pitasker_core.tasks import Task

_RECORDER = Path(__file__).with_name("recorder.py")
_PYTHON = "/usr/bin/python3"


def recorder(settings: Settings) -> Path:
    """The recorder's copy in the data folder: jobs depend on nothing that an upgrade moves.

    Raises ExecutionError when the disk cannot be written.
    """
    copy = settings.home / "recorder"
    try:
        settings.make_home()
        settings.spool.mkdir(mode=0o700, exist_ok=True)
        if not copy.exists() or copy.read_bytes() != _RECORDER.read_bytes():
            new = copy.with_suffix(".new")
            shutil.copyfile(_RECORDER, new)
            new.chmod(0o700)
            new.rename(copy)
    except OSError as problem:
        raise ExecutionError(f"{copy} cannot be written: {problem.strerror}.") from problem
    return copy


def start(settings: Settings, actor: str, task: Task) -> str:
    """Start a task; comes back at once with the run's name in the spool.

    The job is nobody's child: it goes on when PiTasker ends. Raises ReadOnly, ExecutionError.
    """
    if settings.read_only:
        raise ReadOnly
    document, index = None, None
    try:
        _, document = service.read_crontab(settings)
        index = (
            next(iter(document.by_tag.get(task.crontab_id, [])), None) if task.crontab_id else None
        )
    except PiTaskerError:
        pass  # without a crontab it runs with cron's own environment
    proper, stdin = split_stdin(task.command)
    python = _PYTHON if Path(_PYTHON).exists() else shutil.which("python3") or "python3"
    command = [python, "-I", "-S", str(recorder(settings)), "--by", "hand"]
    env = cron_environment(document, index)
    home = env["HOME"] if Path(env["HOME"]).is_dir() else "/"
    before = {one.name for one in spool.left(settings)}
    with tempfile.TemporaryFile() as given:
        given.write(cron_stdin(stdin))
        given.seek(0)
        process = subprocess.Popen(
            [*command, str(task.id), cron_command(proper)],
            stdin=given if stdin else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=env,
            cwd=home,
            start_new_session=True,
        )
    with database.session(settings) as session:
        session.add(EventRow(actor=actor, kind="run by hand", task=task.id))
    return _started(settings, process, before)


def stop(settings: Settings, name: str) -> None:
    """End a run that goes on, as `kill` would. Raises NotFound, ReadOnly."""
    if settings.read_only:
        raise ReadOnly
    for one in spool.left(settings):
        if one.name == name and one.ended is None and spool.is_alive(one.started):
            os.kill(int(one.started["pid"]), signal.SIGTERM)
            return
    raise NotFound("This run has ended already.")


def cron_environment(document: Crontab | None, index: int | None) -> dict[str, str]:
    """What Debian's cron sets for the entry at an index: its own, then the settings above it."""
    user = pwd.getpwuid(os.getuid())
    env = {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin", "HOME": user.pw_dir}
    if document is not None:
        at = len(document.lines) if index is None else index
        for _, setting in environment.reaching(document, at):
            env[setting.name] = setting.value
    return {**env, "LOGNAME": user.pw_name}  # cannot be set otherwise (crontab(5))


def cron_command(proper: str) -> str:
    """What cron hands to the shell: a backslash before `%` or another backslash goes."""
    return re.sub(r"\\([%\\])", r"\1", proper)


def cron_stdin(stdin: str) -> bytes:
    """What cron feeds to the command: the part from the first `%` on, `%` being a line's end."""
    if not stdin:
        return b""
    text = re.sub(r"(\\%)|%", lambda found: "%" if found[1] else "\n", stdin[1:])
    return encode(text if text.endswith("\n") else f"{text}\n")


def _started(settings: Settings, process: "subprocess.Popen[bytes]", before: set[str]) -> str:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for one in spool.left(settings):
            if one.name not in before and one.name.endswith(f"-{process.pid}"):
                return one.name
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise ExecutionError(
        "The run did not start, or left no record.", "Is the disk full? Look at its free space."
    )
