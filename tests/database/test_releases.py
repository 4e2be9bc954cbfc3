"""An upgrade from each released version, and the way back, on what the version itself left."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from pitasker_core import backup, database, tasks
from pitasker_core.base.errors import DatabaseError
from pitasker_core.database import embedded
from pitasker_core.server import tokens
from pitasker_core.sync import operation_history, service
from pitasker_core.sync.service import Request
from tests.helpers.examples import ME, create
from tests.helpers.releases import OWNER, RELEASES
from tests.releases import make_fixture

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.parametrize("release", RELEASES, ids=str)
TABLES = (
    "tasks",
    "events",
    "runs",
    "snapshots",
    "sync_operations",
    "sync_base",
    "tokens",
)
BY_HAND = "45 7 * * 1"
"""The schedule that a person gave the task Report by hand, after the release's last sync."""


@pytest.fixture
def upgraded(release, environment, empty_database_url, crontab):
    """The environment of a machine that had the release, before the first start of this version."""
    release.load(empty_database_url)
    crontab.write(release.crontab(environment.home))
    return replace(environment, database_url=empty_database_url, given_identity=OWNER)


def rows(url):
    """The number of rows in each table."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            return {
                table: connection.scalar(text(f"select count(*) from {table}")) for table in TABLES
            }
    finally:
        engine.dispose()


def revision(url):
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.connect() as connection:
            return database.revision(connection)
    finally:
        engine.dispose()


def definitions(listed):
    return {
        task.id: (task.name, task.schedule, task.command, task.paused, task.notes, task.labels)
        for task in listed
    }


def definitions_of_release(release):
    return {
        task["id"]: (
            *(task["name"], task["cronSchedule"], task["command"], task["paused"]),
            *(task["notes"], tuple(task["labels"])),
        )
        for task in release.tasks
    }


def test_an_upgrade_keeps_every_row_and_every_task(release, upgraded):
    before = rows(upgraded.database_url)
    assert definitions(tasks.listing(upgraded).tasks) == definitions_of_release(release)
    assert rows(upgraded.database_url) == before
    assert revision(upgraded.database_url) == database.newest_revision()
    assert [token.name for token in tokens.listing(upgraded)] == ["phone"]
    assert len(operation_history.operations(upgraded)) == before["sync_operations"]


def test_the_first_sync_after_an_upgrade_carries_over_what_was_done_by_hand(
    release, upgraded, crontab
):
    then = crontab.read()
    result = service.sync(upgraded, Request(ME))
    schedules = {task.name: task.schedule for task in tasks.listing(upgraded).tasks}
    assert (len(result.pulled), result.pushed) == (2, [])
    assert schedules["Report"] == BY_HAND
    assert crontab.read() == then


def test_a_backup_of_a_release_is_restored_like_its_migrated_database(
    release, environment, upgraded, crontab
):
    migrated = definitions(tasks.listing(upgraded).tasks)
    ours = replace(environment, given_identity=OWNER)
    done = backup.restore(ours, ME, backup.read(release.backup))
    assert done.problem is None
    restored = definitions(tasks.listing(ours).tasks)
    assert restored.keys() == migrated.keys()
    assert crontab.read() == release.crontab(environment.home)


def test_a_migration_that_is_killed_leaves_the_old_tables_and_the_next_start_converges(
    release, upgraded, empty_database_url
):
    old, before = revision(empty_database_url), rows(empty_database_url)
    statements = kill_during_migration(empty_database_url, None)
    for number in (1, statements // 3, 2 * statements // 3, statements):
        assert kill_during_migration(empty_database_url, number) == -signal.SIGKILL
        assert (revision(empty_database_url), rows(empty_database_url)) == (old, before)
    assert definitions(tasks.listing(upgraded).tasks) == definitions_of_release(release)


def kill_during_migration(url, number):
    """Migrate in a process that is killed before its statement of this number, and return its exit
    status. With None it is not killed: it rolls back, and the number of statements is returned."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _migrate_until(url, number, writing)
    os.close(writing)
    with os.fdopen(reading) as answer:
        statements = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if number else int(statements)


def _migrate_until(url, number, writing):
    statements = 0

    def count(*_):
        nonlocal statements
        statements += 1
        if statements == number:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        engine = database._plain_engine(url)
        event.listen(engine, "before_cursor_execute", count)
        with engine.connect() as connection, connection.begin() as transaction:
            database.upgrade(connection)
            database.scope.protect(connection)
            transaction.rollback()
        os.write(writing, str(statements).encode())
    finally:
        os._exit(0)


# --- A private database ------------------------------------------------------------------------


@contextmanager
def private_database(release, folder):
    """A private database with the release's rows, in a folder. Stopped at the end."""
    server = embedded.ensure_running(folder)
    try:
        release.load(server.url)
        yield server
    finally:
        embedded.stop_in(folder)


@pytest.mark.slow
def test_a_full_disk_during_a_migration_leaves_the_old_tables_and_is_reported(
    release, upgraded, tmp_path
):
    folder = tmp_path / "postgres"
    folder.mkdir(mode=0o700)
    options = ["-t", "tmpfs", "-o", "size=96m,mode=0700"]
    subprocess.run(["mount", *options, "none", folder], check=True)
    ours = replace(upgraded, home=tmp_path, database_url=None)
    try:
        with private_database(release, folder) as server:
            old, before = revision(server.url), rows(server.url)
            filler = folder / "filler"
            fill(filler)
            with pytest.raises(DatabaseError, match="No space left") as refused:
                tasks.listing(ours)
            assert "The disk is full: free some space" in refused.value.user_message
            assert (revision(server.url), rows(server.url)) == (old, before)
            filler.unlink()
            listed = tasks.listing(ours).tasks
            assert definitions(listed) == definitions_of_release(release)
            database._engine.cache_clear()
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(file):
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as output:
        try:
            while True:
                output.write(bytes(65536))
        except OSError:
            pass


@pytest.mark.slow
def test_going_back_by_the_documented_steps_loses_nothing(release, upgraded, crontab, tmp_path):
    """The steps of "Upgrading, and going back" in docs/operations.md, with the release's code."""
    code = code_of(release, tmp_path)
    home = tmp_path / "home"
    ours = replace(upgraded, home=home, database_url=None)
    home.mkdir(mode=0o700)
    newer = home / "postgres.newer"
    with private_database(release, home / "postgres"):
        # Use the new version.
        service.sync(ours, Request(ME))
        create(ours, "Made by the new version")
        with_new = definitions(tasks.listing(ours).tasks)
        backup.back_up(ours, tmp_path / "new.tar.gz")
        database.stop(ours)
        # Go back.
        (home / "postgres").rename(newer)
        run_release(code, home, "restore", str(release.backup), "--yes")
        listed = json.loads(run_release(code, home, "list", "--json"))["tasks"]
        assert {t["id"]: t["name"] for t in listed} == {t["id"]: t["name"] for t in release.tasks}
        assert crontab.read() == release.crontab(home)
    # Nothing is lost: the newer database and its backup still have what the new version added.
    (home / "postgres").rename(home / "postgres.old")
    newer.rename(home / "postgres")
    try:
        assert definitions(tasks.listing(ours).tasks) == with_new
        done = backup.restore(ours, ME, backup.read(tmp_path / "new.tar.gz"))
        assert done.problem is None
        assert b"# Made by the new version\n" in crontab.read()
    finally:
        database.stop(ours)


def code_of(release, folder):
    """The release's code, from the history of this repository."""
    code = folder / "code"
    code.mkdir()
    try:
        make_fixture.unpack(release.commit, code)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"the history with the code of {release} is not here")
    return code


def run_release(code, home, *words):
    command = [sys.executable, "-P", "-m", "pitasker_core", *words]
    done = subprocess.run(
        ["unshare", "--uts", "sh", "-c", f'hostname {OWNER.host} && exec "$@"', "sh", *command],
        cwd=code,
        env={**os.environ, "PYTHONPATH": str(code), "PITASKER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
