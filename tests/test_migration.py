"""The database's tables: made new, or grown from those of the older PiTasker, in place."""

import threading

import pytest
from sqlalchemy import create_engine, text

from pitasker_core import database, tasks
from pitasker_core.database.tables import Base
from pitasker_core.errors import DatabaseError
from pitasker_core.settings import Settings

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
def older(settings, empty_database_url):
    """Settings of a database made by the older PiTasker, with two rows."""

    def make(id_type="serial primary key", columns="", first="", second="", status=""):
        ours = Settings(settings.home, empty_database_url, settings.crontab_program, False)
        engine = create_engine(empty_database_url.replace("postgresql:", "postgresql+psycopg:"))
        made = OLDER.format(id=id_type, columns=columns, first=first, second=second, status=status)
        with engine.begin() as connection:
            connection.execute(text(made))
        engine.dispose()
        return ours

    return make


def test_an_older_database_keeps_every_row_and_gets_the_defaults(older):
    ours = older()
    first, second = tasks.listing(ours).tasks
    assert (first.name, first.schedule, first.command) == ("Backup", "0 2 * * *", "/bin/backup")
    assert (second.name, second.schedule, second.command) == ("Odd", "every day", "echo 'quoted'")
    assert (first.status, second.status) == ("success", "pending")
    assert first.last_run.isoformat() == "2024-01-02T03:04:05+00:00"
    assert first.created_at.isoformat() == "2024-01-01T00:00:00+00:00"
    for task in (first, second):
        assert (task.source, task.is_system_managed, task.paused) == ("pitasker", False, False)
        assert task.crontab_id is None
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
    done = tasks.create(ours, "test", "New", "0 1 * * *", "/bin/new")
    assert done.problem is None
    assert len({task.id for task in tasks.listing(ours).tasks}) == 3


def test_an_older_task_can_be_switched_on(older, crontab):
    ours = older()
    number = tasks.listing(ours).tasks[0].id
    tasks.change(ours, "test", number, system_managed=True)
    assert crontab.read().startswith(b"# Backup\n0 2 * * * /bin/backup # PITASKER_ID:")


def test_the_tables_are_those_that_python_sees(settings):
    with database.session(settings) as session:
        rows = session.execute(
            text(
                "select table_name, column_name, is_nullable = 'YES', data_type"
                " from information_schema.columns where table_schema = current_schema"
            )
        ).all()
    found = {(table, column): nullable for table, column, nullable, _ in rows}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            assert found.get((table.name, column.name)) == column.nullable, (table.name, column)
    times = {kind for *_, kind in rows if kind.startswith("timestamp")}
    assert times == {"timestamp with time zone"}


def test_migrating_twice_changes_nothing(settings):
    database.migrate(settings.database_url)
    assert tasks.listing(settings).tasks == []


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


def test_a_database_of_a_newer_pitasker_is_refused(settings):
    with database.administer(settings) as session:
        session.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer PiTasker"):
        database.migrate(settings.database_url)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://a/b", "needs PostgreSQL"),
        ("not a url", "DATABASE_URL"),
        ("postgresql://nobody:secret@127.0.0.1:9/none", "Connection refused"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_clear_error_without_its_password(settings, url, words):
    ours = Settings(settings.home, url, settings.crontab_program, False)
    with pytest.raises(DatabaseError) as refused:
        tasks.listing(ours)
    assert words in refused.value.user_message
    assert "secret" not in refused.value.user_message
