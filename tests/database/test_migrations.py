"""The database's tables: created, or migrated in place from the older PiTasker's."""

import re
import threading

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from pitasker_core import database, tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError
from pitasker_core.crontab.document import split_stdin
from pitasker_core.database.tables import Base
from pitasker_core.sync import service
from pitasker_core.sync.service import Request

OLDER = """
create table tasks (
    id {id},
    name varchar(255),
    cron_schedule varchar(100),
    command text,
    status varchar(50){status},
    last_run timestamp,
    output text,
    created_at timestamp default now()
);
insert into tasks ({columns}name, cron_schedule, command, status, last_run, output, created_at)
values
    ({first}'Backup', '0 2 * * *', '/bin/backup', 'success', '2024-01-02 03:04:05', 'done',
     '2024-01-01 00:00:00'),
    ({second}'Odd', 'every day', 'echo ''quoted''', null, null, null, null);
"""


@pytest.fixture
def older(environment, empty_database_url):
    """The environment of a database of the older PiTasker, with two rows."""
    engine = create_engine(empty_database_url.replace("postgresql:", "postgresql+psycopg:"))

    def make(id_type="serial primary key", columns="", first="", second="", status=""):
        ours = Environment(environment.home, empty_database_url, environment.crontab_program, False)
        made = OLDER.format(id=id_type, columns=columns, first=first, second=second, status=status)
        with engine.begin() as connection:
            connection.execute(text(made))
        return ours

    make.connection = engine.begin
    yield make
    engine.dispose()


def test_the_text_of_a_snapshot_is_stored_uncompressed(environment, crontab):
    crontab.write(b"0 5 * * * /bin/true " + 5000 * b"# a\n")
    service.sync(environment, Request("test"))
    with database.administer(environment) as connection:
        sizes = "select octet_length(bytes), pg_column_size(bytes) from snapshots"
        assert connection.execute(text(sizes)).all() == [(20_020, 20_020)]


def test_an_older_database_keeps_every_row_and_gets_the_defaults(older):
    ours = older()
    first, second = tasks.listing(ours).tasks
    assert (first.name, first.schedule, first.command) == ("Backup", "0 2 * * *", "/bin/backup")
    assert (second.name, second.schedule, second.command) == ("Odd", "every day", "echo 'quoted'")
    assert (first.status, second.status) == ("success", "pending")
    assert first.last_run.isoformat() == "2024-01-02T03:04:05+00:00"
    assert first.created_at.isoformat() == "2024-01-01T00:00:00+00:00"
    for task in (first, second):
        assert (task.source, task.system_managed, task.paused) == ("pitasker", False, False)
        assert task.tag is None
        assert task.version == 1


def test_what_a_task_printed_survives_the_migration(older):
    ours = older()
    with database.session(ours) as session:
        printed = session.scalars(text("select output from tasks order by id")).all()
    assert printed == ["done", None]


@pytest.mark.parametrize(
    "shape",
    [
        {"id_type": "bigserial primary key"},
        {"id_type": "integer primary key", "columns": "id, ", "first": "7, ", "second": "9, "},
        {
            "id_type": "varchar(36) primary key",
            "columns": "id, ",
            "first": "'a1', ",
            "second": "'b2', ",
        },
        {"id_type": "uuid primary key default gen_random_uuid()"},
    ],
)
def test_an_older_database_may_number_its_tasks_in_any_way(older, crontab, shape):
    ours = older(**shape)
    assert [task.name for task in tasks.listing(ours).tasks] == ["Backup", "Odd"]
    done = tasks.create(ours, "test", tasks.NewTask("New", "0 1 * * *", "/bin/new"))
    assert done.problem is None
    assert len({task.id for task in tasks.listing(ours).tasks}) == 3


def test_an_older_task_can_be_switched_on(older, crontab):
    ours = older()
    number = tasks.listing(ours).tasks[0].id
    tasks.change(ours, "test", number, system_managed=True)
    assert crontab.read().startswith(b"# Backup\n0 2 * * * /bin/backup # PITASKER_ID:")


@pytest.mark.parametrize(
    "command",
    [
        "date +%F > /tmp/a",
        r"printf '%s\n' x%y",
        r"echo 50\% '\\%' \\\% \\",
        r"sed 's/\\//'; cat a\\b",
        "/bin/plain",
    ],
)
def test_an_older_command_does_the_same_when_cron_runs_it(older, command):
    ours = older()
    with older.connection() as connection:
        connection.execute(text("update tasks set command = :c"), {"c": command})
    (migrated, *_) = {task.command for task in tasks.listing(ours).tasks}
    proper, stdin = split_stdin(migrated)
    assert stdin == ""
    assert re.sub(r"\\([\\%])", r"\1", proper) == command  # as cron reads it


PLANNED = """
alter table tasks
    add updated_at timestamp default now(),
    add crontab_id text unique,
    add synced_to_crontab boolean default true,
    add crontab_synced_at timestamp,
    add source varchar(20) default 'manual',
    add is_system_managed boolean default true
"""
TAG = "7c0e8a52-0000-4000-8000-00000000000a"


def test_a_table_with_the_plans_own_columns_is_migrated(older, crontab):
    ours = older()
    line = f"0 2 * * * date +%F # PITASKER_ID:{TAG}\n".replace("+%", r"+\%").encode()
    crontab.write(line)
    with older.connection() as connection:
        connection.execute(text(PLANNED))
        connection.execute(
            text("update tasks set crontab_id = :tag, command = :command where name = 'Backup'"),
            {"tag": TAG, "command": r"date +\%F"},
        )
        connection.execute(text("update tasks set crontab_id = 'x' where name = 'Odd'"))
    first, second = tasks.listing(ours).tasks
    assert (str(first.tag), first.system_managed) == (TAG, True)
    assert first.command == r"date +\%F"
    # A task that was never in the crontab is not written to it, whatever the old default was.
    assert (second.tag, second.system_managed, second.source) == (None, False, "pitasker")
    service.sync(ours, Request("test"))
    assert crontab.read() == line
    done = tasks.create(ours, "test", tasks.NewTask("New", "0 1 * * *", "/bin/new"))
    assert done.problem is None


@pytest.mark.parametrize(
    "column", ["crontab text", "labels jsonb", "is_system_managed integer", "paused_until text"]
)
def test_a_table_that_cannot_be_migrated_is_refused_and_left_as_it_was(older, column):
    ours = older()
    with older.connection() as connection:
        connection.execute(text(f"alter table tasks add {column}"))
        before = connection.execute(COLUMNS).all()
    with pytest.raises(DatabaseError, match=column.split()[0]):
        tasks.listing(ours)
    with older.connection() as connection:
        assert connection.execute(COLUMNS).all() == before
        assert connection.scalar(text("select to_regclass('crontabs')")) is None


COLUMNS = text("""
    select table_name, column_name, data_type, column_default, is_nullable
    from information_schema.columns where table_schema = current_schema order by 1, 2
""")


def test_the_tables_are_those_that_python_sees(environment):
    with database.session(environment) as session:
        rows = session.execute(
            text(
                "select table_name, column_name, is_nullable = 'YES', data_type"
                " from information_schema.columns where table_schema = current_schema"
            )
        ).all()
    columns = {(table, column): nullable for table, column, nullable, _ in rows}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            assert columns.get((table.name, column.name)) == column.nullable, (table.name, column)
    times = {kind for *_, kind in rows if kind.startswith("timestamp")}
    assert times == {"timestamp with time zone"}


def test_migrating_twice_changes_nothing(environment):
    database.migrate(environment.database_url)
    assert tasks.listing(environment).tasks == []


def test_several_processes_may_migrate_at_once(empty_database_url):
    problems = []

    def migrate():
        try:
            database.migrate(empty_database_url)
        except DatabaseError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_database_of_a_newer_pitasker_is_refused(environment):
    with database.administer(environment) as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer PiTasker"):
        database.migrate(environment.database_url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://a/b", "needs PostgreSQL"),
        ("not a url", "DATABASE_URL"),
        ("postgresql://nobody:secret@127.0.0.1:9/none", "Connection refused"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_clear_error_without_its_password(
    environment, url, words
):
    ours = Environment(environment.home, url, environment.crontab_program, False)
    with pytest.raises(DatabaseError) as refused:
        tasks.listing(ours)
    assert words in refused.value.user_message
    assert "secret" not in refused.value.user_message


def test_what_pitasker_remembers_moves_to_its_table_and_back(environment):
    keys = "select 'settings', key from settings union select 'state', key from state order by 2"
    with database.administer(environment) as connection:
        connection.execute(
            text("""
                insert into crontabs (host, "user") values ('a', 'a');
                insert into settings (key, value) values
                    ('preferences', '{}'), ('template:x', '{}'), ('notifications', '{}');
                insert into state (key, value) values
                    ('job:sync', '{}'), ('log:1', '{}'), ('open conflicts', '{}'),
                    ('findings', '{}')
            """)
        )
        before = connection.execute(text(keys)).all()
        _downgrade(connection, "0009")
        assert connection.scalar(text("select count(*) from settings")) == 7
        database.upgrade(connection)
        assert connection.execute(text(keys)).all() == before


def _downgrade(connection, to):
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    config.attributes["connection"] = connection
    command.downgrade(config, to)
