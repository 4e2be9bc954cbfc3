"""The background work: what it does, what it leaves to a person, and how it survives problems
of the machine."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import DatabaseError, InvalidSyntax
from pitasker_core.database import embedded, preferences
from pitasker_core.database.preferences import Preferences
from pitasker_core.database.tables import EventRow, OperationRow, TaskRow
from pitasker_core.server import background, job_states, pruning
from pitasker_core.server.background import Background
from pitasker_core.sync import edit, operation_history, service
from pitasker_core.sync.service import Request
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.waiting import patience, until

QUICK = 0.02
"""The length of a minute in seconds: five minutes pass in a tenth of a second."""


@contextmanager
def working(environment, minute=QUICK):
    work = Background(environment, minute)
    work.start()
    try:
        until(lambda: work.leads)
        yield work
    finally:
        work.stop()


def test_a_hand_edit_is_taken_over_and_recorded(environment, crontab):
    task = create(environment)
    with working(environment):
        crontab.write(crontab.read().replace(b"0 2 * * *", b"9 9 * * *"))
        until(lambda: tasks.get(environment, task.id).schedule == "9 9 * * *")
    assert operation_history.operations(environment)[0].actor == "background"


def test_entries_nobody_chose_are_tagged_only_when_that_is_wanted(environment, crontab):
    crontab.write(EXISTING)
    with working(environment) as work:
        until(lambda: work._scheduler.get_job("sync"))
        service.sync(environment, Request(ME))
        assert crontab.read() == EXISTING
        preferences.change(environment, ME, import_new=True)
        until(lambda: crontab.read().count(b"# PITASKER_ID:") == 3)


def test_a_conflict_waits_for_a_person(environment, crontab):
    task = create(environment)
    tasks.change(replace(environment, crontab_program="/nonexistent"), ME, task.id, command="/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    before = crontab.read()
    with working(environment):
        until(lambda: job_states.listing(environment).get("sync"))
    assert job_states.listing(environment)["sync"].message == "1 conflict to resolve."
    assert crontab.read() == before
    assert tasks.get(environment, task.id).command == "/ours"


def test_a_vanished_crontab_waits_for_a_person_and_is_said_once(environment, crontab):
    create(environment)
    crontab.remove()
    with working(environment) as work:
        until(lambda: work._failures.get("sync", 0) >= 3)
    state = job_states.listing(environment)["sync"]
    assert not state.ok
    assert "1 of 1 managed entries are gone" in state.message
    failed = [o for o in operation_history.operations(environment) if o.outcome == "failed"]
    assert len(failed) == 1
    assert crontab.read() is None


def test_a_trouble_that_is_over_is_not_told_any_more(environment, crontab, fake_crontab):
    create(environment)
    whole = crontab.read()
    crontab.remove()
    with working(environment):
        until(lambda: not job_states.listing(environment).get("sync", Ok).ok)
        crontab.write(whole)
        until(lambda: job_states.listing(environment)["sync"].ok)


def test_a_sync_that_is_switched_off_is_not_woken(environment, crontab):
    with working(environment) as work:
        preferences.change(environment, ME, sync_minutes=0)
        job = work._scheduler.get_job
        until(lambda: job("sync").next_run_time is None)
        work._soon("sync", 0.0)
        assert job("sync").next_run_time is None


class Ok:
    ok = True


def test_a_pause_ends_when_its_time_has_come(environment, crontab):
    task = create(environment)
    whole = crontab.read()
    soon = clock.now() + timedelta(seconds=1)
    tasks.change(environment, ME, task.id, paused=True, paused_until=soon)
    assert crontab.read() != whole
    with working(environment):
        until(lambda: crontab.read() == whole)
    assert not tasks.get(environment, task.id).paused


def test_a_change_by_psql_reaches_the_crontab_without_waiting(environment, crontab):
    task = create(environment)
    with working(environment, minute=3600):
        engine = database.create_engine(
            environment.database_url.replace("postgresql://", "postgresql+psycopg://")
        )
        with engine.begin() as other:
            other.execute(
                update(TaskRow).where(TaskRow.id == task.id).values(cron_schedule="@daily")
            )
        engine.dispose()
        until(lambda: b"@daily /home/pi/backup.sh" in crontab.read())


def test_of_two_servers_one_works_and_the_other_takes_over(environment, caplog):
    first, second = Background(environment, QUICK), Background(environment, QUICK)
    first.start()
    until(lambda: first.leads)
    second.start()
    try:
        assert background.is_running(environment)
        assert not second.leads
        first.stop()
        until(lambda: second.leads)
    finally:
        second.stop()
    assert not background.is_running(environment)
    assert "Traceback" not in caplog.text


def test_a_job_that_crashes_is_told_and_stops_no_other(environment, crontab, monkeypatch):
    task = create(environment)

    def crash(*_):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(background.validation, "validate", crash)
    with working(environment):
        until(lambda: "validate" in job_states.listing(environment))
        crontab.write(crontab.read().replace(b"0 2 * * *", b"9 9 * * *"))
        until(lambda: tasks.get(environment, task.id).schedule == "9 9 * * *")
    assert job_states.listing(environment)["validate"].message == "RuntimeError: a mistake of ours"


def test_a_database_that_goes_away_again_is_looked_for_as_soon_as_the_first_time(environment):
    def listener():
        with database.session(environment) as session:
            return session.scalar(
                text(
                    "select pid from pg_locks join pg_database on pg_database.oid = database "
                    "where datname = current_database() and locktype = 'advisory' and granted "
                    "and classid = :lock"
                ),
                {"lock": background._LOCK},
            )

    with working(environment) as work:
        for _ in range(3):
            before = listener()
            with database.administer(environment) as session:
                session.execute(text("select pg_terminate_backend(:pid)"), {"pid": before})
            until(lambda before=before: listener() not in (None, before) and work.leads)
            assert work._absence == background._FIRST_ABSENCE


@pytest.mark.slow
def test_it_recovers_when_postgres_is_killed_under_it(environment, crontab):
    private = replace(environment, database_url=None)
    try:
        task = create(private)
        with working(private) as work:
            pid = int((private.postgres / "data" / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGKILL)
            crontab.write(crontab.read().replace(b"0 2 * * *", b"9 9 * * *"))

            def carried_over():
                with suppress(DatabaseError):  # in the second without the database
                    return work.leads and tasks.get(private, task.id).schedule == "9 9 * * *"
                return False

            until(carried_over)
    finally:
        embedded.stop_in(private.postgres)


def test_what_is_older_than_wanted_is_pruned_and_the_first_text_is_kept(environment, crontab):
    crontab.write(EXISTING)
    for number in range(15):
        before, _ = service.read_crontab(environment)
        edit.save_raw(environment, f"{before}# {number}\n", before, actor=ME)
    gone, recent = create(environment, "Gone"), create(environment, "Kept")
    tasks.delete(environment, ME, gone.id, recent.id)
    old = clock.now() - timedelta(days=40)
    with database.session(environment) as session:
        session.execute(update(OperationRow).values(started_at=old))
        session.execute(update(EventRow).values(at=old))
        session.execute(update(TaskRow).where(TaskRow.id == gone.id).values(deleted_at=old))
    first = edit.snapshots(environment)[-1]
    pruning.prune(
        environment, Preferences(keep_operations_days=30, keep_snapshots=10, keep_deleted_days=30)
    )
    assert operation_history.operations(environment) == []
    assert len(edit.snapshots(environment)) == 11
    assert edit.snapshots(environment)[-1] == first
    assert [task.name for task in tasks.listing(environment, deleted=True).tasks] == ["Kept"]


def test_a_preference_out_of_its_limits_is_refused_and_a_change_is_an_event(environment):
    with pytest.raises(InvalidSyntax, match="sync minutes must be 0 to 1440"):
        preferences.change(environment, ME, sync_minutes=-1)
    preferences.change(environment, ME, sync_minutes=10)
    assert preferences.read(environment).sync_minutes == 10
    with database.session(environment) as session:
        kind, before, after = session.execute(text("select kind, before, after from events")).one()
    assert (kind, before, after) == (
        "preferences changed",
        {"sync_minutes": 5},
        {"sync_minutes": 10},
    )


@pytest.mark.slow
def test_the_agent_works_without_the_dashboard_and_ends_in_order(
    environment, crontab, cli_environment
):
    task = create(environment)
    agent = subprocess.Popen(
        [sys.executable, "-m", "pitasker_core", "agent"],
        env=cli_environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert "keeps the tasks and the crontab in sync" in agent.stdout.readline()
        until(lambda: background.is_running(environment))
        engine = database.create_engine(
            environment.database_url.replace("postgresql://", "postgresql+psycopg://")
        )
        with engine.begin() as other:
            other.execute(update(TaskRow).where(TaskRow.id == task.id).values(command="/new"))
        engine.dispose()
        until(lambda: b"/new # PITASKER_ID:" in crontab.read())
    finally:
        agent.terminate()
    assert agent.wait(timeout=patience()) == 0
    lines = (environment.home / "logs" / "crontab-sync.log").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    pushed = [line for line in records if line.get("pushed") == 1]
    assert pushed[0]["operation"] == operation_history.operations(environment)[0].id
