"""Run a task now, in the environment that cron would give it."""

import os
import pwd
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from datetime import datetime

from sqlalchemy import select

from pitasker_core import database
from pitasker_core.base import clock, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, NotFound, PiTaskerError, ReadOnly
from pitasker_core.crontab import execution
from pitasker_core.crontab.document import Document, split_stdin
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.database.tables import EventRow, RunRow
from pitasker_core.runs import spool
from pitasker_core.sync import recorder_copy, service
from pitasker_core.tasks import Task

_UMASK = 0o022
"""What cron's jobs have, whatever ours is."""

_EVENTS = {"hand": "run by hand", "catchup": "caught up"}


def start(environment: Environment, actor: str, task: Task, by: str = "hand") -> str:
    """Start a task; comes back at once with the run's name in the spool.

    `by` is `hand`, or `catchup` for a run that is made up.
    The job is nobody's child: it goes on when PiTasker ends. Raises ReadOnly, ExecutionError.
    """
    if environment.read_only:
        raise ReadOnly
    document, index = None, None
    try:
        _, document = service.read_crontab(environment)
        index = next(iter(document.by_tag.get(task.tag, [])), None) if task.tag else None
    except PiTaskerError:
        pass  # without a crontab it runs with cron's own environment
    proper, stdin = split_stdin(task.command)
    command = [str(recorder_copy.put_in_place(environment)), "--by", by]
    if task.timeout_seconds:
        command += ["--timeout", str(task.timeout_seconds)]
    if task.no_overlap:
        command.append("--no-overlap")
    dialect = document.dialect if document else Dialect.DEBIAN
    env = cron_environment(document, index)
    # cron's daemon, too, starts the job in a folder of its own when it cannot enter HOME.
    home = env["HOME"] if paths.is_enterable(env["HOME"]) else "/"
    begun = clock.now()
    with tempfile.TemporaryFile() as given:
        given.write(execution.read_stdin(stdin))
        given.seek(0)
        try:
            process = subprocess.Popen(
                [*command, str(task.id), execution.unescape(proper, dialect)[0]],
                stdin=given if stdin else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=env,
                cwd=home,
                start_new_session=True,
                umask=_UMASK,
            )
        except OSError as problem:
            raise ExecutionError(f"The run cannot be started: {problem.strerror}.") from problem
    # It is our child as long as we are there: somebody has to ask how it ended.
    threading.Thread(target=process.wait, daemon=True).start()
    with database.session(environment) as session:
        session.add(EventRow(actor=actor, kind=_EVENTS[by], task=task.id))
    return _started(environment, task, process, begun)


def stop(environment: Environment, name: str) -> None:
    """End a run that goes on, as `kill` would. Raises NotFound, ReadOnly."""
    if environment.read_only:
        raise ReadOnly
    for one in spool.left(environment):
        target = spool.process(one.started) if one.name == name and one.ended is None else None
        if target is not None:
            with suppress(ProcessLookupError):
                os.kill(target, signal.SIGTERM)
                return
    raise NotFound("This run has ended already.")


def cron_environment(document: Document | None, index: int | None) -> dict[str, str]:
    """The environment that cron sets for the entry at an index."""
    user = pwd.getpwuid(os.getuid())
    return execution.environment_of(document, index, user.pw_name, user.pw_dir)


def _started(
    environment: Environment, task: Task, process: "subprocess.Popen[bytes]", begun: datetime
) -> str:
    """What a run is called that was just started; it may have ended, and been taken in, by now."""
    end = time.monotonic() + 5
    is_over = False
    while not is_over and time.monotonic() < end:
        is_over = process.poll() is not None
        for one in spool.left(environment):
            is_since = one.started["started"] >= begun.timestamp()
            if is_since and (one.task, one.started["pid"]) == (task.id, process.pid):
                return one.name
        time.sleep(0.01)
    with database.session(environment) as session:
        same = RunRow.task == task.id, RunRow.pid == process.pid
        if name := session.scalar(select(RunRow.name).where(*same, RunRow.started_at >= begun)):
            return name
    raise ExecutionError(
        "The run did not start, or left no record.", "Is the disk full? Look at its free space."
    )
