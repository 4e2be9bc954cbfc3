"""PiTasker's reports of what it did, or did not do, are true."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from pitasker_core import database, tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import (
    ConcurrentModification,
    CrontabUnavailable,
    InvalidSyntax,
    Stale,
)
from pitasker_core.dashboard import overview
from pitasker_core.database import preferences
from pitasker_core.notifications import channels, rules
from pitasker_core.reports import audit, status
from pitasker_core.server.api import requests
from pitasker_core.server.background import Background
from pitasker_core.sync import edit, importing, install, operation_history, service, validation
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.tasks import State
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.waiting import until

REFUSING = '#!/bin/sh\n[ "$1" = - ] && { echo "crontab: refused" >&2; exit 1; }\n'
EXEC = 'exec "$REAL_CRONTAB" "$@"\n'


@pytest.fixture
def refusing(environment, fake_crontab):
    """The environment with a `crontab` that reads and refuses to install."""
    return replace(environment, crontab_program=str(fake_crontab(REFUSING + EXEC)))


@pytest.fixture
def answer(cli, capsys):
    def run(*words):
        code = cli(*words, "--json")
        out = capsys.readouterr()
        return code, json.loads(out.out or out.err)

    return run


# --- Import --------------------------------------------------------------------------------------


def test_an_import_that_crontab_refuses_says_that_the_tasks_are_saved(
    environment, crontab, refusing
):
    crontab.write(EXISTING)
    done = importing.import_entries(refusing, ME)
    assert isinstance(done.problem, CrontabUnavailable)
    assert len(done.imported) == 3
    assert crontab.read() == EXISTING
    assert set(tasks.listing(environment).states.values()) == {State.PENDING}


def test_entries_that_are_still_to_be_tagged_did_not_lose_a_tag(environment, crontab, refusing):
    crontab.write(EXISTING)
    importing.import_entries(refusing, ME)
    findings = validation.validate(service.preview(environment)).findings
    assert {finding.kind for finding in findings} == {validation.Discrepancy.CHANGED_IN_DATABASE}
    service.sync(environment, Request(ME))
    assert crontab.read().count(b"PITASKER_ID") == 3


def test_an_import_into_a_crontab_with_a_bad_line_has_the_same_answer(environment, crontab):
    crontab.force(EXISTING + b"61 * * * * /bin/bad\n")
    done = importing.import_entries(environment, ME)
    assert isinstance(done.problem, InvalidSyntax)
    assert "was changed" not in done.problem.user_message
    assert len(tasks.listing(environment).tasks) == 3


def test_an_import_that_is_saved_but_not_in_the_crontab_has_the_exit_code_of_add(
    environment, crontab, refusing, answer, monkeypatch
):
    crontab.write(EXISTING)
    monkeypatch.setenv("PITASKER_CRONTAB", refusing.crontab_program)
    code, shape = answer("import")
    assert (code, shape["imported"], shape["error"]["code"]) == (1, 3, "CRONTAB_UNAVAILABLE")
    assert answer("add", "A", "@daily", "/bin/a")[0] == 1


# --- Going back to a snapshot --------------------------------------------------------------------


@pytest.fixture
def older(environment, crontab):
    """A snapshot that differs from the present crontab."""
    crontab.write(EXISTING)
    create(environment)
    number = edit.snapshots(environment)[0].id
    create(environment, "Other", command="/bin/other")
    return number


def test_going_back_leaves_alone_what_was_changed_since_it_was_shown(environment, crontab, older):
    shown = install.digest(crontab.read().decode())
    by_hand = crontab.read() + b"# by hand\n"
    crontab.write(by_hand)
    with pytest.raises(ConcurrentModification, match="since it was shown"):
        edit.restore(environment, older, actor=ME, shown=shown)
    assert crontab.read() == by_hand
    edit.restore(environment, older, actor=ME, shown=install.digest(by_hand.decode()))
    assert crontab.read() != by_hand


@pytest.mark.parametrize("synced", [False, True])
def test_going_back_on_the_command_line_leaves_hand_edits_until_they_are_named(
    environment, crontab, older, answer, synced
):
    by_hand = crontab.read() + b"# by hand\n"
    crontab.write(by_hand)
    if synced:
        service.sync(environment, Request(Actor.BACKGROUND))
    code, shape = answer("restore", str(older))
    assert (code, shape["error"]["code"]) == (3, "CONCURRENT_MODIFICATION")
    assert crontab.read() == by_hand
    digest = install.digest(by_hand.decode())
    assert digest in shape["error"]["advice"]
    assert answer("restore", str(older), "--if-sha256", digest)[0] == 0
    assert b"by hand" not in crontab.read()


# --- Operations ----------------------------------------------------------------------------------


def test_an_edit_of_a_line_is_not_told_as_no_change(environment, crontab):
    crontab.write(EXISTING)
    text = EXISTING.decode()
    edit.save_raw(environment, text.replace("hello.sh", "bye.sh"), text, actor=ME)
    assert overview.outcome(operation_history.operations(environment)[0]) == "the text was changed"
    service.sync(environment, Request(ME))
    assert overview.outcome(operation_history.operations(environment)[0]) == "no change"


# --- What somebody else changed since it was shown ------------------------------------------------


def test_a_setting_that_was_changed_since_it_was_shown_is_not_overwritten(environment):
    shown = preferences.read(environment)
    preferences.change(environment, ME, shown, sync_minutes=10)
    with pytest.raises(Stale, match="sync minutes"):
        preferences.change(environment, ME, shown, sync_minutes=7)
    assert preferences.read(environment).sync_minutes == 10


def test_a_tab_overwrites_no_setting_that_it_did_not_change(environment):
    shown = preferences.read(environment)
    preferences.change(environment, ME, shown, sync_minutes=10)
    values = {**vars(shown), "keep_snapshots": 50}
    preferences.change(environment, ME, shown, **values)
    saved = preferences.read(environment)
    assert (saved.sync_minutes, saved.keep_snapshots) == (10, 50)


def test_when_notices_are_sent_is_not_overwritten_from_another_tab(environment):
    shown = rules.read(environment)
    rules.change(environment, ME, shown, repeat_minutes=10)
    with pytest.raises(Stale):
        rules.change(environment, ME, shown, repeat_minutes=7)
    assert rules.read(environment).repeat_minutes == 10


def test_a_channel_is_not_overwritten_from_another_tab(environment):
    channels.add(environment, ME, "phone", "ntfy://a-topic")
    (shown,) = channels.listing(environment)
    channels.change(environment, ME, "phone", kinds=["failed"], shown=shown)
    with pytest.raises(Stale):
        channels.change(environment, ME, "phone", kinds=["missed"], shown=shown)
    channels.change(environment, ME, "phone", enabled=False, shown=shown)
    (channel,) = channels.listing(environment)
    assert (channel.kinds, channel.enabled) == (("failed",), False)


def test_an_answer_to_a_crontab_that_has_changed_since_is_refused(environment, crontab):
    create(environment)
    crontab.remove()
    shown = install.digest(None)
    crontab.write(EXISTING)
    with pytest.raises(Stale):
        service.sync(environment, Request(ME, confirmed=True, policy=Policy.CRONTAB, shown=shown))
    assert tasks.listing(environment).tasks[0].system_managed


# --- Export --------------------------------------------------------------------------------------


def draft(environment, name="Draft"):
    return create(environment, name, command=f"/bin/{name}", system_managed=False).id


def test_an_export_of_a_task_that_there_is_none_of_is_refused(environment, crontab, answer):
    number = draft(environment)
    code, shape = answer("export", str(number), "999")
    assert (code, shape["error"]["message"]) == (3, "There is no task 999.")
    assert crontab.read() is None
    assert not tasks.get(environment, number).system_managed


def test_an_export_of_all_says_which_tasks_it_left_out(environment, answer, cli, capsys):
    number = draft(environment)
    assert answer("export")[1]["databaseOnly"] == [number]
    cli("export")
    assert f"database-only tasks: {number}." in capsys.readouterr().out


def test_an_export_of_what_is_in_the_crontab_says_so(environment, crontab, answer):
    task = create(environment)
    code, shape = answer("export", str(task.id))
    assert (code, shape["synced"], shape["inStep"]) == (0, 0, [task.id])


def test_an_export_of_a_conflict_says_so(environment, crontab, cli, capsys):
    task = create(environment)
    crontab.write(crontab.read().replace(b"0 2 *", b"9 9 *"))
    tasks.change(environment, ME, task.id, schedule="7 7 * * *")
    assert cli("export", str(task.id)) == 1
    assert f"conflict: task {task.id}: choose" in capsys.readouterr().out


def test_an_export_of_a_database_only_task_is_an_event(environment, crontab):
    number = draft(environment)
    service.export(environment, ME, [number])
    newest = audit.listing(environment, 1)[0]
    assert (newest.actor, newest.kind, newest.task) == (ME, "exported", number)


def test_an_export_that_crontab_refuses_says_that_it_is_saved(environment, crontab, refusing):
    number = draft(environment)
    done = service.export(refusing, ME, [number])
    assert "refused" in done.failures[number]
    assert tasks.listing(environment).states[number] is State.PENDING


def test_the_key_of_the_first_plan_names_tasks_too():
    assert requests.Export.model_validate({"taskIds": [1, 2]}).tasks == [1, 2]
    assert requests.Sync.model_validate({"tasks": [3]}).tasks == [3]


def test_a_sync_that_succeeds_again_ends_the_red_health(environment, crontab):
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")

    def fail_in_background():
        with pytest.raises(CrontabUnavailable):
            in_background(nowhere)
        return status.status(environment).reasons

    assert "The last sync failed" in fail_in_background()[0]
    in_background(environment)
    assert status.status(environment).reasons == []
    assert "The last sync failed" in fail_in_background()[0]  # recorded again


# --- Conflicts that wait --------------------------------------------------------------------------


@pytest.fixture
def conflict(environment, crontab):
    """A task that was changed by hand, and here without access to the crontab."""
    task = create(environment)
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, task.id, command="/bin/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    return task


def in_background(environment):
    return service.sync(environment, Request(Actor.BACKGROUND))


def test_a_conflict_that_nobody_decides_is_recorded_once(environment, conflict):
    before = len(operation_history.operations(environment))
    for _ in range(3):
        assert in_background(environment).plan.conflicts
    assert len(operation_history.operations(environment)) == before + 1


@pytest.mark.parametrize("back", [True, False])
def test_the_end_of_a_conflict_is_recorded_once(environment, crontab, conflict, back):
    in_background(environment)
    if back:  # both sides equal the base
        crontab.write(crontab.read().replace(b"7 7 * * *", b"0 2 * * *"))
        with database.session(environment) as session:
            undo = "update tasks set command = '/home/pi/backup.sh' where id = :id"
            session.execute(text(undo), {"id": conflict.id})
    else:
        request = Request(ME, only={conflict.tag}, choices={conflict.tag: Policy.CRONTAB})
        service.sync(environment, request)
    before = len(operation_history.operations(environment))
    for _ in range(2):
        in_background(environment)
    assert len(operation_history.operations(environment)) == before + back
    assert operation_history.operations(environment)[0].conflicts == 0


def test_a_conflict_that_becomes_another_is_recorded_again(environment, crontab, conflict):
    in_background(environment)
    before = len(operation_history.operations(environment))
    crontab.write(crontab.read().replace(b"7 7 * * *", b"8 8 * * *"))
    for _ in range(2):
        in_background(environment)
    assert len(operation_history.operations(environment)) == before + 1


# --- The start ------------------------------------------------------------------------------------


def test_what_a_killed_process_left_is_finished_at_the_start_before_anything_is_judged(
    environment, crontab
):
    task = create(environment)
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, task.id, command="/bin/new")
    work = Background(environment, minute=3600)
    seen = []
    work._sync = lambda: seen.append(work.leads) or Background._sync(work)
    work.start()
    try:
        until(lambda: work.leads)
        assert seen == [False]
        assert b"/bin/new" in crontab.read()
    finally:
        work.stop()


def test_entries_that_could_not_be_given_back_are_said_to_have_lost_their_tasks(
    environment, crontab, refusing
):
    task = create(environment)
    before = crontab.read()
    with pytest.raises(CrontabUnavailable) as refused:
        stop_managing(refusing, ME, [task.id])
    assert "no longer managed" in refused.value.user_message
    assert crontab.read() == before
    assert tasks.listing(environment).tasks == []
