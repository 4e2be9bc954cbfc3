"""Concurrent writes of the same crontab lose nobody's change."""

import os
import signal
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from pitasker_core import database, tasks
from pitasker_core.backup import contents, restoring, writing
from pitasker_core.base.errors import (
    ConcurrentModification,
    CrontabReverted,
    CrontabUnavailable,
    DatabaseError,
    SyncInProgress,
)
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.sync import edit, first_look, importing, install, service
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.processes import start_child, wait_for_child
from tests.helpers.waiting import until

EDITING = """\
#!/bin/sh
# Somebody saves an edit right before our {moment} call that reads or writes.
count=$(cat {folder}/count 2>/dev/null || echo 0)
count=$((count + 1))
echo $count > {folder}/count
if [ $count -{test} {moment} ]; then
    {{ "$REAL_CRONTAB" -l 2>/dev/null; echo "0 $((count % 24)) * * * /bin/by-hand-$count"; }} \
        > {folder}/new
    "$REAL_CRONTAB" {folder}/new
fi
exec "$REAL_CRONTAB" "$@"
"""


NO_COMMIT = """
create function refuse() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file: No space left on device'; end $$;
create constraint trigger no_commit after insert on sync_operations
    deferrable initially deferred for each row execute function refuse()
"""
"""Recording an operation fails, but only at the commit."""


def editing(environment, fake_crontab, tmp_path, moment, test="eq"):
    # The dialect is read once per program, and that call would count.
    fake = str(fake_crontab(EDITING.format(folder=tmp_path, moment=moment, test=test)))
    other = replace(environment, crontab_program=fake)
    assert service.program(other).dialect
    (tmp_path / "count").unlink(missing_ok=True)
    return other


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_a_hand_edit_between_our_read_and_our_write_is_kept(
    environment, crontab, fake_crontab, tmp_path, moment
):
    crontab.write(EXISTING)
    slow = editing(environment, fake_crontab, tmp_path, moment)
    done = tasks.create(slow, ME, tasks.NewTask("New", "0 4 * * *", "/bin/new"))
    assert done.problem is None
    text = crontab.read()
    assert f"/bin/by-hand-{moment}\n".encode() in text
    assert b"/bin/new # PITASKER_ID:" in text
    assert text.startswith(EXISTING)


def test_a_crontab_that_never_rests_is_left_alone_with_an_error(
    environment, crontab, fake_crontab, tmp_path
):
    crontab.write(EXISTING)
    restless = editing(environment, fake_crontab, tmp_path, 0, "gt")
    done = tasks.create(restless, ME, tasks.NewTask("New", "0 4 * * *", "/bin/new"))
    assert isinstance(done.problem, ConcurrentModification)
    assert b"/bin/new" not in crontab.read()
    service.sync(environment, Request(ME))
    assert b"/bin/new # PITASKER_ID:" in crontab.read()
    assert crontab.read().count(b"/bin/by-hand") >= 3


@pytest.mark.parametrize(("moment", "is_put_back"), [(99, True), (5, False)])
def test_a_commit_that_fails_puts_the_old_text_back_unless_somebody_changed_it(
    environment, crontab, fake_crontab, tmp_path, moment, is_put_back
):
    crontab.write(EXISTING)
    with database.administer(environment) as session:
        session.execute(text(NO_COMMIT))
    watched = editing(environment, fake_crontab, tmp_path, moment)
    done = tasks.create(watched, ME, tasks.NewTask("New", "0 4 * * *", "/bin/new"))
    assert isinstance(done.problem, DatabaseError)
    assert int((tmp_path / "count").read_text()) > 4  # written, and read back
    assert (crontab.read() == EXISTING) is is_put_back
    assert (b"/bin/by-hand-5" in crontab.read()) is not is_put_back
    with database.administer(environment) as session:
        session.execute(text("drop trigger no_commit on sync_operations"))
    service.sync(environment, Request(ME))
    assert crontab.read().count(b"/bin/new # PITASKER_ID:") == 1
    assert set(tasks.listing(environment).states.values()) == {tasks.State.SYNCED}


def test_after_a_commit_without_an_answer_the_databases_version_can_win(environment, crontab):
    task = create(environment)
    text_before = crontab.read()

    def lose_answer(session):
        if crontab.read() != text_before:
            raise OperationalError("commit", None, Exception("the connection is lost"))

    event.listen(Session, "after_commit", lose_answer)
    try:
        done = tasks.delete(environment, ME, task.id)
    finally:
        event.remove(Session, "after_commit", lose_answer)
    assert isinstance(done.problem, DatabaseError)
    assert crontab.read() == text_before
    with pytest.raises(CrontabReverted):
        service.sync(environment, Request(ME))
    changes = service.preview(environment).plan.changes
    choices = dict.fromkeys((change.tag for change in changes), Policy.DATABASE)
    service.sync(environment, Request(ME, choices=choices))
    assert b"PITASKER_ID" not in crontab.read()
    assert tasks.listing(environment).tasks == []


def test_a_raw_edit_refuses_when_the_crontab_changed_since_it_was_loaded(environment, crontab):
    crontab.write(EXISTING)
    loaded = EXISTING.decode()
    crontab.write(EXISTING + b"# by hand\n")
    with pytest.raises(ConcurrentModification):
        edit.save_raw(environment, loaded + "# ours\n", loaded, actor=ME)
    assert crontab.read() == EXISTING + b"# by hand\n"


def test_two_processes_that_save_at_once_lose_nothing(environment, crontab):
    crontab.write(EXISTING)

    def add(number):
        create(environment, f"Task {number}", command=f"/bin/task-{number}")

    for first in range(0, 12, 4):
        numbers = range(first, first + 4)
        children = [start_child(environment, partial(add, number)) for number in numbers]
        assert [wait_for_child(child) for child in children] == [0] * 4
    text = crontab.read().decode()
    assert text.startswith(EXISTING.decode())
    assert sorted(text.count(f"/bin/task-{n} #") for n in range(12)) == [1] * 12
    assert set(tasks.listing(environment).states.values()) == {tasks.State.SYNCED}


def test_a_second_writer_waits_for_the_first_and_gives_up_with_a_clear_error(environment):
    with (
        install.locked(environment),
        pytest.raises(SyncInProgress, match="Another PiTasker process"),
        install.locked(environment, time_limit=0.05),
    ):
        pass


def test_every_writer_waits_for_the_lock(environment, crontab, monkeypatch, tmp_path):
    # Alone: PostgreSQL's locks and a repeated read hide a missing lock from most other tests.
    task = create(environment)
    file = tmp_path / "backup.tar.gz"
    writing.back_up(environment, file)
    backup, text = contents.read(file), crontab.read().decode()
    writers = {
        "sync": lambda: service.sync(environment, Request(ME)),
        "import": lambda: importing.import_entries(environment, ME),
        "edit": lambda: edit.save_raw(environment, text + "# ours\n", text, actor=ME),
        "check": lambda: edit.check(environment, text),
        "first look": lambda: first_look.keep_what_is_there(environment),
        "backup": lambda: writing.back_up(environment, file),
        "restore": lambda: restoring.restore(environment, ME, backup),
        "stop managing": lambda: stop_managing(environment, ME, [task.id]),
    }
    waited = []
    with install.locked(environment):
        monkeypatch.setattr(install, "locked", partial(install.locked, time_limit=0))
        for name, write in writers.items():
            try:
                write()
            except SyncInProgress:
                waited.append(name)
    assert waited == [*writers]


def test_a_lock_dies_with_its_process(environment):
    child = os.fork()
    if child == 0:
        with install.locked(environment):
            os._exit(0)
    os.waitpid(child, 0)
    with install.locked(environment, time_limit=0.05):
        pass


def test_the_lock_outlives_a_killed_writer_until_its_crontab_is_done(
    environment, crontab, fake_crontab, tmp_path
):
    begun = tmp_path / "begun"
    slow = f'#!/bin/sh\n[ "$1" = - ] && touch {begun} && sleep 0.7\nexec "$REAL_CRONTAB" "$@"\n'
    program = CrontabProgram(str(fake_crontab(slow)))
    child = os.fork()
    if child == 0:
        with install.locked(environment):
            install.install(environment, program, None, parse(EXISTING.decode()))
        os._exit(0)
    until(begun.exists)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with pytest.raises(SyncInProgress), install.locked(environment, time_limit=0.05):
        pass
    with install.locked(environment):
        assert crontab.read() == EXISTING


def test_a_crontab_that_hangs_is_given_up_and_nothing_is_lost(environment, crontab, fake_crontab):
    crontab.write(EXISTING)
    hanging = CrontabProgram(str(fake_crontab("#!/bin/sh\nsleep 60\n")), time_limit=0.3)
    with pytest.raises(CrontabUnavailable, match="did not answer"):
        hanging.read()
    assert crontab.read() == EXISTING


def test_a_crontab_program_that_lies_about_success_is_noticed(environment, crontab, fake_crontab):
    lying = '#!/bin/sh\n[ "$1" = - ] && exit 0\nexec "$REAL_CRONTAB" "$@"\n'
    other = replace(environment, crontab_program=str(fake_crontab(lying)))
    done = tasks.create(other, ME, tasks.NewTask("New", "0 4 * * *", "/bin/new"))
    assert isinstance(done.problem, ConcurrentModification)
    create(environment, "Another")
    assert b"/bin/new" not in crontab.read()
    service.sync(environment, Request(ME))
    assert b"/bin/new" in crontab.read()
