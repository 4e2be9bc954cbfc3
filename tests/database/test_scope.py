"""Several hosts and users share a database: none sees or changes another's rows."""

import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update

import pitasker_core
from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import NotFound, PiTaskerError
from pitasker_core.base.identity import Identity
from pitasker_core.database import notices, preferences
from pitasker_core.database.tables import (
    Base,
    OfCrontab,
    PlaceRow,
    RunRow,
    SettingRow,
    SilencedRuleRow,
    StateRow,
    TaskRow,
)
from pitasker_core.notifications import notice_list, rules
from pitasker_core.reports import audit, status
from pitasker_core.runs import history as runs
from pitasker_core.server import auth, job_states, pruning, tokens
from pitasker_core.server.auth import Role
from pitasker_core.sync import edit, importing, operation_history, service, store
from tests.helpers.signing_in import cookies

ME = "test"

ALPHA = Identity("alpha", "daemon", "11111111-1111-4111-8111-111111111111")
BETA = Identity("beta", "daemon", "22222222-2222-4222-8222-222222222222")
OTHER_USER = replace(ALPHA, user="mail")


@pytest.fixture
def alpha(environment):
    return replace(environment, given_identity=ALPHA)


@pytest.fixture(params=[BETA, OTHER_USER], ids=["another host", "another user"])
def beta(request, environment, tmp_path):
    ours = replace(environment, home=tmp_path / "beta", given_identity=request.param)
    # Registered before alpha's tags are in the crontab, which both share in this test.
    tasks.listing(ours)
    return ours


def make(ours, name="Backup"):
    return tasks.create(
        ours, ME, tasks.NewTask(name, "0 2 * * *", f"/bin/{name}", system_managed=False)
    ).tasks[0]


# --- The one place -----------------------------------------------------------------------------


def test_every_table_belongs_to_a_crontab_and_postgresql_keeps_its_rows_apart(environment):
    with database.administer(environment) as connection:
        rows = connection.execute(
            text("""
                select relname, relrowsecurity and relforcerowsecurity,
                    exists (select from pg_policy where polrelid = pg_class.oid)
                from pg_class
                where relkind = 'r' and relnamespace = current_schema::regnamespace
            """)
        ).all()
    apart = {name for name, forced, has_policy in rows if forced and has_policy}
    # The list of crontabs concerns all crontabs, and the revision none.
    assert {name for name, *_ in rows} - apart == {"crontabs", "alembic_version"}
    assert apart == set(Base.metadata.tables) - {"crontabs"}
    for mapper in Base.registry.mappers:
        assert issubclass(mapper.class_, OfCrontab) or mapper.local_table.name == "crontabs"


def test_not_even_raw_sql_reads_or_changes_rows_of_another(alpha, beta):
    fill(alpha)
    tables = sorted(set(Base.metadata.tables) - {"crontabs"})
    with database.session(beta) as session:
        for table in tables:
            assert session.scalar(text(f"select count(*) from {table}")) == 0
            assert session.execute(text(f"update {table} set crontab = crontab")).rowcount == 0
            assert session.execute(text(f"delete from {table}")).rowcount == 0
    with database.session(alpha) as session:
        counts = [session.scalar(text(f"select count(*) from {table}")) for table in tables]
    assert min(counts) > 0


def fill(ours):
    """Add at least one row to each table."""
    task = tasks.create(ours, ME, tasks.NewTask("Backup", "0 2 * * *", "/bin/backup")).tasks[0]
    preferences.change(ours, ME, keep_snapshots=50)
    tokens.create(ours, ME, "phone", Role.WRITE)
    with database.session(ours) as session:
        crontab_row = store.own_crontab(session)
        run = RunRow(task=task.id, source="recorded", started_at=clock.now(), output=b"secret")
        session.add(run)
        session.add(PlaceRow(tag=uuid4(), text=b"@daily x", line=0, comment_is_ours=False))
        session.add(SilencedRuleRow(rule="percent", task=task.id))
        session.add(StateRow(key="job:sync", value={"ok": True}))
        session.flush()
        notices.add(session, crontab_row, notices.NoticeKind.FAILED, "It failed.", task.id, run.id)
    return task, run.id


def test_a_row_cannot_be_written_into_another_crontab(alpha, beta):
    make(alpha)
    with database.session(alpha) as session:
        theirs = store.own_crontab(session)
    with pytest.raises(PiTaskerError), database.session(beta) as session:
        session.add(SettingRow(crontab_row=theirs, key="preferences", value={}))


def test_only_the_database_package_connects_and_nothing_truncates():
    connecting = r"create_engine\(|psycopg\.connect\(|truncate |pitasker\.crontab"
    assert modules_with(connecting) == set()


def test_only_what_is_about_all_crontabs_sees_the_rows_of_all():
    assert modules_with(r"administer\(") == {
        "server/crontabs.py",  # to find out which crontab is ours
        "backup/writing.py",
        "backup/restoring.py",
    }


def modules_with(pattern):
    """Return the modules outside the database package whose text matches."""
    root = Path(pitasker_core.__file__).parent
    return {
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if re.search(pattern, file.read_text()) and not file.is_relative_to(root / "database")
    }


# --- What beta must not do to alpha ---------------------------------------------------------------


def test_a_task_of_another_crontab_is_not_there(alpha, beta):
    theirs = make(alpha)
    mine = make(beta, "Mine")
    assert [task.name for task in tasks.listing(beta).tasks] == ["Mine"]
    edit_it = tasks.Edit(theirs.id, None, {"name": "Taken"})
    for act in (
        lambda: tasks.get(beta, theirs.id),
        lambda: tasks.change(beta, ME, theirs.id, name="Taken"),
        lambda: tasks.delete(beta, ME, theirs.id),
        lambda: tasks.undo_delete(beta, ME, theirs.id),
        lambda: tasks.apply(beta, ME, [tasks.Edit(mine.id, None, {"name": "New"}), edit_it]),
    ):
        with pytest.raises(NotFound):
            act()
    assert tasks.get(alpha, theirs.id) == theirs


def test_runs_and_their_output_are_their_crontabs(alpha, beta):
    task, run = fill(alpha)
    assert runs.runs(beta) == []
    assert runs.runs(beta, task=task.id) == []
    for look in (runs.run, runs.output):
        with pytest.raises(NotFound):
            look(beta, run)
    assert runs.output(alpha, run) == b"secret"


def test_background_state_notices_settings_and_events_are_their_crontabs(alpha, beta):
    fill(alpha)
    job_states.save(alpha, "sync", ok=False, message="Alpha's disk is full.")
    rules.change(alpha, ME, repeat_minutes=7)
    assert job_states.listing(beta) == {}
    assert job_states.listing(alpha)["sync"].message == "Alpha's disk is full."
    assert preferences.read(beta) == preferences.Preferences()
    assert rules.read(beta).repeat_minutes == rules.Rules().repeat_minutes
    assert notice_list.listing(beta) == []
    assert audit.listing(beta, 100) == []
    assert operation_history.operations(beta) == []
    assert status.status(beta).tasks == 0
    preferences.change(beta, ME, keep_snapshots=60)
    assert preferences.read(alpha).keep_snapshots == 50


def test_a_token_opens_its_own_crontab_only(alpha, beta):
    token = tokens.create(alpha, ME, "phone", Role.WRITE)
    assert tokens.role_of(alpha, token) is Role.WRITE
    assert tokens.role_of(beta, token) is None
    assert tokens.listing(beta) == []
    with pytest.raises(NotFound):
        tokens.revoke(beta, ME, tokens.listing(alpha)[0].id)


def test_a_session_opens_its_own_crontab_only(alpha, beta):
    mine = cookies(alpha, "http://127.0.0.1:8501", Role.WRITE)
    cookies(beta, "http://127.0.0.1:8501", Role.WRITE)
    assert auth.session(alpha, mine).role is Role.WRITE
    assert auth.session(beta, mine) is None


def test_resuming_and_pruning_leave_others_alone(alpha, beta):
    theirs = make(alpha)
    past = clock.now().replace(year=2001)
    tasks.change(alpha, ME, theirs.id, paused=True, paused_until=past)
    with database.session(alpha) as session:
        session.execute(update(TaskRow).values(paused_until=past, deleted_at=past))
    assert tasks.resume_due(beta) is None
    pruning.prune(beta, preferences.Preferences())
    assert [task.id for task in tasks.listing(alpha, deleted=True).tasks] == [theirs.id]


def test_import_does_not_skip_what_another_crontab_has(alpha, beta, crontab):
    tasks.create(alpha, ME, tasks.NewTask("Theirs", "0 3 * * *", "/bin/same", system_managed=False))
    crontab.write(b"0 3 * * * /bin/same\n")
    assert len(importing.import_entries(beta, ME).imported) == 1


def test_a_tag_that_two_crontabs_have_is_managed_by_each(alpha, beta, crontab):
    tasks.create(alpha, ME, tasks.NewTask("Backup", "0 2 * * *", "/bin/backup"))
    with database.session(alpha) as session:
        tag = session.scalars(select(TaskRow.tag)).one()
    copied = crontab.read()
    crontab.remove()
    make(beta, "Mine")
    crontab.write(copied)
    importing.import_entries(beta, ME)
    assert service.sync(beta, service.Request(ME)).plan.changes == ()
    with database.session(beta) as session:
        assert tag in session.scalars(select(TaskRow.tag)).all()
    # And alpha is still in sync with the same text.
    assert service.sync(alpha, service.Request(ME)).plan.changes == ()


def test_snapshots_and_operations_are_their_crontabs(alpha, beta):
    fill(alpha)
    snapshot = edit.snapshots(alpha)[0].id
    operation = operation_history.operations(alpha)[0].id
    with pytest.raises(NotFound):
        edit.snapshot(beta, snapshot)
    with pytest.raises(NotFound):
        edit.restore(beta, snapshot, actor=ME)
    with pytest.raises(NotFound):
        operation_history.operation(beta, operation)
