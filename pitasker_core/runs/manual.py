"""Run a task now, in the environment that cron would give it."""

import os
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
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, NotFound, PiTaskerError, ReadOnly, explained
from pitasker_core.base.identity import account
from pitasker_core.crontab import execution
from pitasker_core.crontab.document import split_stdin
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import RunRow
from pitasker_core.runs import records
from pitasker_core.sync import recorder_copy, service
from pitasker_core.tasks import Task

_UMASK = 0o022
"""The umask of cron's jobs."""

_EVENTS = {"hand": EventKind.RUN_BY_HAND, "catchup": EventKind.CAUGHT_UP}


def start(environment: Environment, actor: Actor, task: Task, by: str = "hand") -> str:
    """Start a task and return at once, with the run's name in the spool.

    `by` is `hand`, or `catchup` for a run that catches up. The job goes on when PiTasker stops.
    Raises ReadOnly and ExecutionError.
    """
    if environment.read_only:
        raise ReadOnly
    document, index = None, None
    try:
        _, document = service.read_crontab(environment)
        index = next(iter(document.by_tag.get(task.tag, [])), None) if task.tag else None
    except PiTaskerError:
        pass  # without a crontab, it gets cron's default environment
    proper, stdin = split_stdin(task.command)
    command = [str(recorder_copy.put_in_place(environment)), "--by", by]
    if task.timeout_seconds:
        command += ["--timeout", str(task.timeout_seconds)]
    if task.no_overlap:
        command.append("--no-overlap")
    dialect = document.dialect if document else Dialect.DEBIAN
    user = account()
    env = execution.environment_of(document, index, user.pw_name, user.pw_dir)
    # Like cron, which starts the job elsewhere if it cannot enter HOME.
    home = env["HOME"] if paths.is_enterable(env["HOME"]) else "/"
    begun = clock.now()
    with tempfile.TemporaryFile() as given:
        given.write(execution.read_stdin(stdin))
        given.seek(0)
        with explained("The run cannot be started"):
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
    # It is our child, so wait for it, or it would stay as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    with database.session(environment) as session:
        add_event(session, actor, _EVENTS[by], task=task.id)
    return _started(environment, task, process, begun)


def stop(environment: Environment, name: str) -> None:
    """Stop a run by SIGTERM. Raises NotFound if it is over, and ReadOnly."""
    if environment.read_only:
        raise ReadOnly
    for run in records.left(environment):
        target = records.process(run.started) if run.name == name and run.ended is None else None
        if target is not None:
            with suppress(ProcessLookupError):
                os.kill(target, signal.SIGTERM)
                return
    raise NotFound("This run has ended already.")


def _started(
    environment: Environment, task: Task, process: "subprocess.Popen[bytes]", begun: datetime
) -> str:
    """The name of a run that was just started. By now it may have ended and been imported."""
    end = time.monotonic() + 5
    is_over = False
    while not is_over and time.monotonic() < end:
        is_over = process.poll() is not None
        for run in records.left(environment):
            is_since = run.started["started"] >= begun.timestamp()
            if is_since and (run.task, run.started["pid"]) == (task.id, process.pid):
                return run.name
        time.sleep(0.01)
    with database.session(environment) as session:
        same = RunRow.task == task.id, RunRow.pid == process.pid
        if name := session.scalar(select(RunRow.name).where(*same, RunRow.started_at >= begun)):
            return name
    raise ExecutionError(
        "The run did not start, or left no record.", "Check whether the disk is full."
    )
