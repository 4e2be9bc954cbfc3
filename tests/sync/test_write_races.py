"""Somebody else writes the crontab at the same moment as PiTasker."""

import subprocess
from dataclasses import replace

import pytest
from sqlalchemy import select

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import ConcurrentModification
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.database.tables import NoticeRow
from pitasker_core.reports import audit
from pitasker_core.runs.cron_log import observed
from pitasker_core.sync import install, operation_history, service
from tests.helpers.cron_log import USER, Log
from tests.helpers.examples import EXISTING, ME, create

REPLACE = f"({USER}) REPLACE ({USER})"


def messages(environment):
    with database.session(environment) as session:
        return [*session.scalars(select(NoticeRow.message))]


@pytest.fixture
def write(environment, crontab):
    """Return the state of the newest write of the crontab."""
    crontab.write(EXISTING)
    create(environment)
    return operation_history.operation(
        environment, operation_history.operations(environment, 1)[0].id
    ).details["write"]


def test_nothing_is_between_the_last_look_at_a_crontab_and_its_replacement(
    environment, crontab, monkeypatch
):
    crontab.write(EXISTING)
    steps = []
    popen = subprocess.Popen

    def starting(command, *arguments, **options):
        steps.append(command[1:])
        return popen(command, *arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", starting)
    monkeypatch.setattr(clock, "now", lambda now=clock.now: steps.append("clock") or now())
    read = CrontabProgram.read
    monkeypatch.setattr(
        CrontabProgram, "read", lambda self: (read(self), steps.append("was read"))[0]
    )
    text, document = service.read_crontab(environment)
    with install.locked(environment):
        install.install(environment, service.program(environment), text, document)
    at = steps.index(["-"])
    assert steps[at - 2 : at] == [["-l"], "was read"]


def test_a_write_of_somebody_else_during_ours_is_told(environment, crontab, write):
    log = Log(environment.cron_log)
    at = clock.now().fromisoformat(write["until"])
    log.write(REPLACE, at, pid=write["pid"], name="crontab")
    log.write(REPLACE, at, pid=write["pid"] + 1, name="crontab")
    observed.collect(environment)
    (message,) = messages(environment)
    assert "another program installed a crontab while" in message
    assert [e.kind for e in audit.listing(environment, 9)].count("replaced by crontab") == 1


@pytest.mark.parametrize("pids", [(0,), (1,), ()])
def test_our_own_write_alone_is_no_race(environment, crontab, write, pids):
    log = Log(environment.cron_log)
    at = clock.now().fromisoformat(write["until"])
    for more in pids:  # not our process id: a script runs `crontab`
        log.write(REPLACE, at, pid=write["pid"] + more, name="crontab")
    observed.collect(environment)
    assert messages(environment) == []


# --- A `crontab` that fails -----------------------------------------------------------------------

FAILS_AFTER = '#!/bin/sh\n[ "$1" = - ] || exec "$REAL_CRONTAB" "$@"\n{do}echo odd >&2\nexit 1\n'


@pytest.mark.parametrize(
    ("do", "words"),
    [("", "The crontab was not changed."), ('"$REAL_CRONTAB" -\n', "was changed: check it")],
)
def test_what_is_said_of_a_crontab_that_failed_is_so(environment, crontab, fake_crontab, do, words):
    crontab.write(EXISTING)
    failing = replace(environment, crontab_program=str(fake_crontab(FAILS_AFTER.format(do=do))))
    done = tasks.create(failing, ME, tasks.NewTask("New", "@daily", "/bin/new"))
    assert words in done.problem.user_message
    assert not isinstance(done.problem, ConcurrentModification)
    assert (crontab.read() == EXISTING) is (do == "")
