"""The tests do not touch the files of the user who runs them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pitasker_core.base.environment import Environment
from tests.helpers.crontabs import InstalledCrontab
from tests.helpers.databases import Cluster, ReusedDatabase, read_shape
from tests.helpers.isolation import MEMORY, SPOOL


def test_the_spool_of_the_tests_is_one_that_others_do_not_see() -> None:
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    *_, spool = [mount for mount in mounts if mount.split()[4] == str(SPOOL)]  # the top mount
    assert " - tmpfs " in spool
    assert "shared:" not in spool  # else it would appear in the outer namespace


def test_children_of_the_tests_see_the_private_spool_too(crontab: InstalledCrontab) -> None:
    crontab.write(b"# the tests' own\n")
    listed = subprocess.run(["crontab", "-l"], capture_output=True, check=True)
    assert listed.stdout == b"# the tests' own\n"


def test_home_and_database_are_not_those_of_whoever_runs_the_tests() -> None:
    environment = Environment.from_environment()
    assert environment.database_url is None
    assert environment.home.is_relative_to(os.environ["HOME"])
    assert Path(os.environ["HOME"]) == MEMORY / "home"


ADD = """insert into crontabs (host, "user") values ('pi', 'pi') returning id"""


@pytest.fixture
def database(cluster: Cluster) -> Iterator[ReusedDatabase]:
    yield ReusedDatabase(cluster, "reused", read_shape(cluster))
    cluster.execute("drop database if exists reused with (force)")


def test_the_next_test_finds_neither_rows_nor_connections(
    cluster: Cluster, database: ReusedDatabase
) -> None:
    for _ in range(2):
        database.prepare()
        connection = cluster.connect("reused")
        assert connection.execute(ADD).fetchall() == [(1,)]
        database.clear()
        assert _names(cluster) == {"reused"}
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


@pytest.mark.parametrize(
    "change",
    [
        "create table more ()",
        "alter table tasks add more int",
        "alter table tasks disable trigger tasks_notify",
        "alter table tasks no force row level security",
        "drop policy own_crontab on tasks",
        "grant select on tasks to public",
        "alter database reused set timezone = 'Asia/Tokyo'",
        "update alembic_version set version_num = '0001'",
    ],
)
def test_a_database_of_which_more_than_rows_changed_is_not_used_again(
    cluster: Cluster, database: ReusedDatabase, change: str
) -> None:
    database.prepare()
    with cluster.connect("reused") as connection:
        connection.execute(change)
    database.clear()
    assert _names(cluster) == set()


def _names(cluster: Cluster) -> set[str]:
    with cluster.connect("pitasker") as connection:
        found = connection.execute("select datname from pg_database where datname = 'reused'")
        return {name for (name,) in found}
