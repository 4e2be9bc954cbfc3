"""Manual runs: in cron's environment, and independent of PiTasker."""

import fcntl
import os
import pwd
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import NotFound
from pitasker_core.runs import history, manual, records, spool
from tests.helpers.examples import ME, create
from tests.helpers.processes import is_there
from tests.helpers.waiting import patience, until


def ended(environment, name):
    until(lambda: spool.collect(environment) == 0)
    return history.named(environment, name)


def started(environment, name):
    (job,) = [job for job in records.left(environment) if job.name == name]
    return job.started


def test_the_job_finds_what_cron_would_give_it_and_nothing_of_ours(
    environment, crontab, monkeypatch
):
    crontab.write(b"FOO='a b'\nSHELL=/bin/bash\nPATH=/opt/bin:/bin:/usr/bin\nLOGNAME=other\n")
    task = create(environment, command=r"env -0; pwd; umask; cat%two\% lines%here")
    crontab.write(crontab.read() + b"FOO=below\n")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    before = os.umask(0o077)
    try:
        run = ended(environment, manual.start(environment, ME, task))
    finally:
        os.umask(before)
    *pairs, rest = history.output(environment, run.id).decode().split("\0")
    user = pwd.getpwuid(os.getuid())
    home = user.pw_dir
    set_by_bash = {"PWD", "SHLVL", "_"}
    assert {
        pair.split("=")[0]: pair.split("=", 1)[1]
        for pair in pairs
        if pair.split("=")[0] not in set_by_bash
    } == {
        "FOO": "a b",
        "SHELL": "/bin/bash",
        "PATH": "/opt/bin:/bin:/usr/bin",
        "HOME": home,
        "LOGNAME": user.pw_name,
    }
    assert rest == f"{home}\n0022\ntwo% lines\nhere\n"
    assert (run.state, run.source) == ("success", "by hand")


def test_without_a_crontab_the_job_gets_crons_defaults(environment, crontab):
    crontab.write(b"SHELL=/bin/bash\nFOO=set\n")
    task = create(environment, command="echo $FOO $SHELL $PATH")
    lost = replace(environment, crontab_program="/nonexistent/crontab")
    run = ended(environment, manual.start(lost, ME, task))
    assert history.output(environment, run.id) == b"/bin/sh /usr/bin:/bin\n"


def test_the_limits_of_the_task_hold(environment):
    task = create(environment, command="sleep 60")
    tasks.change(environment, ME, task.id, timeout_seconds=1, no_overlap=True)
    task = tasks.get(environment, task.id)
    first = manual.start(environment, ME, task)
    second = manual.start(environment, ME, task)
    until(lambda: spool.collect(environment) == 0)
    assert history.named(environment, first).note == "timed out"
    assert history.named(environment, second).note == "the previous run was still going on"


@pytest.mark.parametrize("recorder_is", ["there", "killed"])
def test_stop_ends_the_job_and_what_it_started(environment, recorder_is):
    task = create(environment, command="sleep 60 & echo $!; wait")
    name = manual.start(environment, ME, task)
    until(lambda: records.printed(environment.spool / name)[1])
    child = int(records.printed(environment.spool / name)[0])
    if recorder_is == "killed":
        pid = started(environment, name)["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_there(pid))
    assert is_there(child)
    manual.stop(environment, name)
    until(lambda: not is_there(child))
    run = ended(environment, name)
    assert (run.signal or run.note) == (15 if recorder_is == "there" else spool.NOBODY_SAW)
    with pytest.raises(NotFound):
        manual.stop(environment, name)


def test_the_job_goes_on_when_pitasker_ends_and_holds_nothing_of_it(environment, cli_environment):
    task = create(environment, command="ls -l /proc/self/fd; sleep 60")
    script = f"""
import fcntl, os, signal
from pitasker_core import tasks
from pitasker_core.runs import manual
from pitasker_core.base.environment import Environment
environment = Environment.from_environment()
lock = open(environment.lock, "w")
os.set_inheritable(lock.fileno(), True)
fcntl.flock(lock, fcntl.LOCK_EX)
print(manual.start(environment, "test", tasks.get(environment, {task.id})), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    # It does not keep our output open either, so this call returns.
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=cli_environment,
        stdout=subprocess.PIPE,
        timeout=patience(),
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    name = done.stdout.decode().strip()
    with Path(environment.lock).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    until(lambda: records.printed(environment.spool / name)[1])
    listing = records.printed(environment.spool / name)[0].decode()
    assert "/dev/null" in listing
    assert str(environment.home) not in listing
    assert records.is_alive(started(environment, name))
    manual.stop(environment, name)
    assert ended(environment, name).signal == signal.SIGTERM
