"""Back up and restore a crontab: here, after an upgrade, and on another machine."""

import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from pitasker_core import backup, database, tasks
from pitasker_core.backup import restoring
from pitasker_core.base.errors import CrontabUnavailable, DatabaseError, InvalidSyntax, NotFound
from pitasker_core.base.identity import Identity
from pitasker_core.database import embedded, notices, preferences
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import NoticeRow, OperationRow, RunRow, StateRow
from pitasker_core.reports import audit
from pitasker_core.runs import history as runs
from pitasker_core.runs import spool
from pitasker_core.server import job_states, tokens
from pitasker_core.server.auth import Role
from pitasker_core.sync import edit, importing, service, store
from pitasker_core.sync.service import Request
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.waiting import until

FORMAT_1 = Path(__file__).parents[1] / "archives" / "format-1.tar.gz"
"""Written as pi@raspberrypi by the last version with format 1, with tables of version 0004."""

PI = Identity("raspberrypi", "pi")
ANNA = Identity("newpi", "anna", "33333333-3333-4333-8333-333333333333")


def names(environment):
    return sorted(task.name for task in tasks.listing(environment).tasks)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "backup.tar.gz"


def test_a_backup_brings_the_tasks_and_the_crontab_back(environment, crontab, file):
    crontab.write(EXISTING)
    importing.import_entries(environment, ME)
    create(environment, "Other")
    tasks_then, crontab_then = tasks.listing(environment).tasks, crontab.read()
    size = backup.back_up(environment, file)
    assert size == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.glob("*unfinished*")) == []
    tasks.delete(environment, ME, *(task.id for task in tasks_then))
    crontab.write(b"# something else\n")
    done = backup.restore(environment, ME, backup.read(file))
    assert (done.problem, done.notes) == (None, [])
    assert crontab.read() == crontab_then
    assert [t.name for t in tasks.listing(environment).tasks] == [t.name for t in tasks_then]
    assert service.preview(environment).plan.changes == ()
    assert backup.read(done.previous).crontab == "# something else\n"
    before = edit.snapshots(environment)[1]
    assert edit.snapshot(environment, before.id).text == "# something else\n"
    assert audit.listing(environment, 1)[0].kind == "restored from a backup"


def test_a_restore_can_itself_be_taken_back(environment, crontab, file):
    backup.back_up(environment, file)
    create(environment)
    then = crontab.read()
    done = backup.restore(environment, ME, backup.read(file))
    assert (names(environment), crontab.read()) == ([], None)
    backup.restore(environment, ME, backup.read(done.previous))
    assert (names(environment), crontab.read()) == (["Backup"], then)


def test_a_restore_opens_no_token_that_was_revoked(environment, crontab, file):
    revoked = tokens.create(environment, ME, "old", Role.WRITE)
    backup.back_up(environment, file)
    tokens.revoke(environment, ME, tokens.listing(environment)[0].id)
    present = tokens.create(environment, ME, "new", Role.READ)
    backup.restore(environment, ME, backup.read(file))
    assert tokens.role_of(environment, revoked) is None
    assert tokens.role_of(environment, present) is Role.READ


def test_a_restore_sends_nothing_twice_and_calls_nothing_missed(environment, crontab, file):
    task = create(environment)
    with database.session(environment) as session:
        number = store.own_crontab(session)
        notices.add(session, number, NoticeKind.FAILED, "Backup failed", task=task.id)
        session.add(StateRow(key=f"missed:{number}", value={"judged": "2020-01-01T00:00:00Z"}))
        session.add(StateRow(key=f"log:{number}", value={"read": "2020-01-01T00:00:00Z"}))
    backup.back_up(environment, file)
    with database.session(environment) as session:
        session.execute(text("update notices set sent_at = now()"))
    backup.restore(environment, ME, backup.read(file))
    with database.session(environment) as session:
        assert session.scalar(select(func.count()).where(NoticeRow.sent_at.is_(None))) == 0
        # Nobody watched the time since the backup. The log since then is read again.
        assert session.get(StateRow, f"missed:{number}") is None
        assert session.get(StateRow, f"log:{number}") is not None
    assert job_states.listing(environment) == {}


def test_a_column_of_a_persons_own_comes_back(environment, crontab, file):
    create(environment)
    with database.administer(environment) as connection:
        connection.execute(text("alter table tasks add column older_id text"))
        connection.execute(text("update tasks set older_id = 'a1'"))
    backup.back_up(environment, file)
    with database.administer(environment) as connection:
        connection.execute(text("alter table tasks drop column older_id"))
    backup.restore(environment, ME, backup.read(file))
    with database.administer(environment) as connection:
        assert connection.scalar(text("select older_id from tasks")) == "a1"


@pytest.mark.slow
def test_the_private_database_is_backed_up_and_restored(environment, crontab, file):
    private = replace(environment, database_url=None)
    try:
        create(private)
        backup.back_up(private, file)
        create(private, "Later")
        backup.restore(private, ME, backup.read(file))
        assert names(private) == ["Backup"]
    finally:
        embedded.stop_in(private.postgres)


# --- Other versions ----------------------------------------------------------------------------


def test_a_backup_of_the_version_before_is_restored_and_brought_up_to_date(environment, crontab):
    ours = replace(environment, given_identity=PI)
    done = backup.restore(ours, ME, backup.read(FORMAT_1))
    assert done.problem is None
    assert names(ours) == ["Later", "Nightly backup", "Report", "camera"]
    report = next(task for task in tasks.listing(ours).tasks if task.name == "Report")
    assert (report.notes, report.paused) == ("For\tall\nof us \\ 100 %", True)
    assert preferences.read(ours).sync_minutes == 7
    with database.session(ours) as session:
        outputs = session.scalars(select(RunRow.output).order_by(RunRow.id)).all()
    assert outputs == [b"done\n\\.\n\x00\xff", None]
    assert service.preview(ours).plan.changes == ()


def test_a_backup_of_a_newer_version_is_refused_before_anything_is_done(
    environment, crontab, file, monkeypatch
):
    with database.administer(environment) as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with database.administer(environment, migrated=False) as connection:
        restoring.write(connection, file, None, None)
    with pytest.raises(InvalidSyntax, match="newer PiTasker"):
        backup.read(file)


def test_after_an_upgrade_the_old_version_restores_its_backup_over_the_newer_database(
    environment, crontab, file
):
    create(environment)
    token = tokens.create(environment, ME, "phone", Role.READ)
    then = crontab.read()
    backup.back_up(environment, file)
    create(environment, "Later")
    with database.administer(environment) as connection:  # as a newer version would
        connection.execute(text("create table later (crontab integer references crontabs, x int)"))
        connection.execute(text("insert into later select id, 7 from crontabs"))
        connection.execute(text("create policy own_crontab on later using (true)"))
        connection.execute(text("alter table tasks add column later int not null default 5"))
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(DatabaseError, match="newer PiTasker"):
        database.migrate(environment.database_url)
    done = backup.restore(environment, ME, backup.read(file))
    assert (names(environment), crontab.read()) == (["Backup"], then)
    assert tokens.role_of(environment, token) is Role.READ
    with database.administer(environment) as connection:
        assert database.revision(connection) == database.newest_revision()
        assert connection.scalar(text("select to_regclass('later')")) is None
    with pytest.raises(InvalidSyntax, match="newer PiTasker"):
        backup.read(done.previous)  # the newer version can read it


# --- Nothing, or all of it ---------------------------------------------------------------------

FAILS = """\
#!/bin/sh
[ "$1" = - ] && { echo "no space left" >&2; exit 1; }
exec $REAL_CRONTAB "$@"
"""


def test_a_restore_whose_crontab_fails_has_changed_nothing_and_says_so(
    environment, crontab, file, fake_crontab
):
    backup.back_up(environment, file)
    create(environment)
    then = crontab.read()
    other = EXISTING.decode()
    odd = replace(backup.read(file), crontab=other)
    broken = replace(environment, crontab_program=str(fake_crontab(FAILS)))
    with pytest.raises(CrontabUnavailable, match="no space left") as refused:
        backup.restore(broken, ME, odd)
    assert "Nothing was changed." in refused.value.user_message
    assert (names(environment), crontab.read()) == (["Backup"], then)


def test_a_restore_whose_database_fails_at_the_end_puts_the_crontab_back(
    environment, crontab, file, monkeypatch
):
    create(environment, "Then")
    backup.back_up(environment, file)
    create(environment, "Now")
    then = crontab.read()
    install = restoring.install.install

    def fail_after(*arguments):
        install(*arguments)
        monkeypatch.undo()
        raise DatabaseError("The database went away.")

    monkeypatch.setattr(restoring.install, "install", fail_after)
    with pytest.raises(DatabaseError, match="went away") as refused:
        backup.restore(environment, ME, backup.read(file))
    assert "Nothing was changed." in refused.value.user_message
    assert (names(environment), crontab.read()) == (["Now", "Then"], then)


def test_a_crontab_that_cron_would_not_take_is_refused_before_anything_is_done(
    environment, crontab, file
):
    create(environment)
    backup.back_up(environment, file)
    create(environment, "Later")
    odd = replace(backup.read(file), crontab="61 * * * * x\n")
    with pytest.raises(InvalidSyntax, match="minute must be"):
        backup.restore(environment, ME, odd)
    assert names(environment) == ["Backup", "Later"]
    assert list(environment.backups.glob("before-restore*")) == []


def test_what_is_written_during_a_restore_is_in_its_copy_or_in_what_was_restored(
    environment, crontab, file, monkeypatch
):
    backup.back_up(environment, file)
    create(environment, "Before")
    write = restoring.write
    writers = []

    def write_while_another_waits(connection, *arguments):
        thread = threading.Thread(
            target=lambda: create(environment, "Meanwhile", system_managed=False)
        )
        writers.append(thread)
        thread.start()
        waiting = text("select count(*) from pg_locks where not granted")
        until(lambda: connection.scalar(waiting))
        return write(connection, *arguments)

    monkeypatch.setattr(restoring, "write", write_while_another_waits)
    done = backup.restore(environment, ME, backup.read(file))
    writers[0].join()
    assert names(environment) == ["Meanwhile"]
    assert backup.read(done.previous).rows["tasks"] == 1


# --- Another user, another machine -------------------------------------------------------------


def test_a_backup_of_another_user_is_refused_until_a_person_says_that_it_is_meant(
    environment, crontab, file
):
    create(environment)
    then = crontab.read()
    contents = backup.read(FORMAT_1)
    with pytest.raises(InvalidSyntax, match="is of pi@raspberrypi") as refused:
        backup.restore(environment, ME, contents)
    assert "`--from pi@raspberrypi`. Nothing was changed." in refused.value.user_message
    with pytest.raises(NotFound, match="no crontab of mia@there"):
        backup.restore(environment, ME, contents, "mia@there")
    assert (names(environment), crontab.read()) == (["Backup"], then)


def test_another_users_tasks_runs_and_entries_become_those_of_this_one(environment, crontab, file):
    anna = replace(environment, given_identity=ANNA)
    done = backup.restore(anna, ME, backup.read(FORMAT_1), "pi@raspberrypi")
    assert done.problem is None
    assert names(anna) == ["Later", "Nightly backup", "Report", "camera"]
    recorder = f"{anna.home}/pitasker-recorder"
    assert f"{recorder} --timeout 600 1 '/home/pi/bin/backup.sh --all'" in crontab.read().decode()
    assert Path(recorder).exists()
    with database.session(anna) as session:
        assert session.scalar(select(func.count()).select_from(RunRow)) == 2
    assert service.sync(anna, Request(ME)).pulled == []
    assert service.preview(anna).plan.changes == ()
    # PiTasker does not change paths of another home. It reports them.
    assert any("There is no file /home/pi/bin/backup.sh" in note for note in done.notes)
    assert "Line 2: MAILTO is pi, and there is no user pi on this machine." in done.notes
    assert "Line 7: there is no user camera on this machine." in done.notes


def test_a_record_that_waits_during_a_restore_is_no_run_of_another_task(environment, crontab):
    ours = create(environment)
    environment.spool.mkdir()
    record = environment.spool / f"{ours.id}-1700000000000000000-9.json"
    record.write_text('{"started": 1700000000, "ended": 1700000001, "exit_code": 1}')
    done = backup.restore(environment, ME, backup.read(FORMAT_1), "pi@raspberrypi")
    spool.collect(environment)
    assert len(runs.runs(environment)) == 2
    backup.restore(environment, ME, backup.read(done.previous))
    assert [run.exit_code for run in runs.runs(environment)] == [1]


def test_a_machine_made_anew_under_its_old_name_is_not_asked_about(environment, crontab):
    again = replace(environment, given_identity=replace(PI, machine=ANNA.machine))
    assert backup.preview(again, backup.read(FORMAT_1)) == []  # format 1 has no machine id
    backup.restore(again, ME, backup.read(FORMAT_1))
    assert "Nightly backup" in names(again)


def test_an_account_that_was_renamed_keeps_its_tasks(
    environment, crontab, file, empty_database_url
):
    pi = replace(environment, given_identity=replace(ANNA, user="pi"))
    task = create(pi)
    tasks.change(pi, ME, task.id, record_runs=True)
    backup.back_up(pi, file)
    home = environment.home.with_name("anna")
    anna = replace(environment, home=home, given_identity=ANNA, database_url=empty_database_url)
    backup.restore(anna, ME, backup.read(file), "pi@newpi")
    assert names(anna) == ["Backup"]
    assert f"{home}/pitasker-recorder" in crontab.read().decode()
    assert service.preview(anna).plan.changes == ()


@pytest.mark.parametrize("mode", [None, 0o600, 0o700])
def test_an_imported_entry_names_the_recorder_of_this_home(environment, crontab, tmp_path, mode):
    old = tmp_path / "old" / "pitasker-recorder"
    if mode is not None:  # the home of another user of this machine, with the same task ids
        old.parent.mkdir()
        old.write_text("#!/bin/sh\n")
        old.chmod(mode)
    tag = "3e9499bc-bb2b-4797-b21a-06af9e94b653"
    crontab.write(
        f"# Tagged\n@daily {old} 1 '/bin/a' # PITASKER_ID:{tag}\n@daily {old} 2 '/bin/b'\n".encode()
    )
    done = importing.import_entries(environment, ME)
    assert (done.imported, done.errors) == ([1, 2], {})
    text = crontab.read().decode()
    assert str(old) not in text
    for number, command in ((1, "/bin/a"), (2, "/bin/b")):
        assert (
            f"@daily {environment.home}/pitasker-recorder {number} '{command}' # PITASKER" in text
        )
    assert {task.command for task in tasks.listing(environment).tasks} == {"/bin/a", "/bin/b"}
    assert service.preview(environment).plan.changes == ()


def test_a_restore_leaves_other_crontabs_of_the_database_alone(environment, crontab, tmp_path):
    anna = replace(environment, given_identity=ANNA)
    for name in ("a", "b", "c"):
        create(anna, name, system_managed=False)
    with database.session(anna) as session:
        first = session.scalars(text("select min(id) from tasks")).one()
    pi = replace(environment, home=tmp_path / "pi", given_identity=PI)
    tasks.listing(pi)
    backup.restore(pi, ME, backup.read(FORMAT_1))
    assert names(anna) == ["a", "b", "c"]
    assert names(pi) == ["Later", "Nightly backup", "Report", "camera"]
    nightly = next(task for task in tasks.listing(pi).tasks if task.name == "Nightly backup")
    assert first == 1
    assert nightly.id not in (1, 2, 3)
    assert f"recorder --timeout 600 {nightly.id} '" in crontab.read().decode()
    with database.session(pi) as session:
        assert session.scalar(select(func.count()).where(RunRow.task == nightly.id)) == 1
        details = session.scalars(select(OperationRow.details)).all()
    pushed = [change["task"] for row in details for change in row.get("pushed", [])]
    assert nightly.id in pushed
    assert not {1, 2, 3} & set(pushed)
    assert service.preview(pi).plan.changes == ()


# --- The command -------------------------------------------------------------------------------


def test_a_restore_asks_first(cli, environment, crontab, file, capsys):
    create(environment)
    assert cli("backup", str(file)) == 0
    create(environment, "Later")
    assert cli("restore", str(file)) == 3
    asked = capsys.readouterr().err
    assert "--yes" in asked
    assert "(tasks: 1, entries: 1)" in asked
    assert len(tasks.listing(environment).tasks) == 2
    assert cli("restore", str(file), "--yes") == 0
    assert len(tasks.listing(environment).tasks) == 1


def test_a_move_is_asked_about_with_what_this_machine_lacks(cli, environment, crontab, capsys):
    assert cli("restore", str(FORMAT_1)) == 3
    assert "--from pi@raspberrypi" in capsys.readouterr().err
    assert cli("restore", str(FORMAT_1), "--from", "pi@raspberrypi") == 3
    asked = capsys.readouterr().err
    assert "There is no file /home/pi/bin/backup.sh" in asked
    # The restore uses this home's recorder, so the old recorder is not reported as missing.
    assert "recorder" not in asked
    assert crontab.read() is None
    assert cli("restore", str(FORMAT_1), "--from", "pi@raspberrypi", "--yes") == 1
    assert "There is no file /home/pi/bin/backup.sh" in capsys.readouterr().out


def test_a_backup_knows_when_it_was_made(environment, crontab, file):
    before = datetime.now(UTC)
    backup.back_up(environment, file)
    assert before <= backup.read(file).made_at <= datetime.now(UTC)
