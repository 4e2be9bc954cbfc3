"""What PiTasker says of what it did, or did not do, is true."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from pitasker_core import database, events, history, preferences, tasks
from pitasker_core.api import models
from pitasker_core.background import Background
from pitasker_core.dashboard import overview
from pitasker_core.errors import ConcurrentModification, CrontabUnavailable, InvalidSyntax, Stale
from pitasker_core.notifications import channels, rules
from pitasker_core.sync import adopt, edit, install, service, validation
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.release import release
from pitasker_core.sync.service import BACKGROUND, Request
from pitasker_core.tasks import State
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.waiting import until

REFUSING = '#!/bin/sh\n[ "$1" = - ] && { echo "crontab: refused" >&2; exit 1; }\n'
EXEC = 'exec "$REAL_CRONTAB" "$@"\n'


@pytest.fixture
def refusing(settings, fake_crontab):
    """The settings with a `crontab` that reads, and installs nothing."""
    return replace(settings, crontab_program=str(fake_crontab(REFUSING + EXEC)))


@pytest.fixture
def answer(cli, capsys):
    def run(*words):
        code = cli(*words, "--json")
        out = capsys.readouterr()
        return code, json.loads(out.out or out.err)

    return run


# --- Import --------------------------------------------------------------------------------------


def test_an_import_that_crontab_refuses_says_that_the_tasks_are_saved(settings, crontab, refusing):
    crontab.write(EXISTING)
    done = adopt.adopt(refusing, ME)
    assert isinstance(done.problem, CrontabUnavailable)
    assert len(done.imported) == 3
    assert crontab.read() == EXISTING
    assert set(tasks.listing(settings).states.values()) == {State.PENDING}


def test_entries_that_are_still_to_be_tagged_did_not_lose_a_tag(settings, crontab, refusing):
    crontab.write(EXISTING)
    adopt.adopt(refusing, ME)
    found = validation.validate(service.preview(settings)).findings
    assert {finding.kind for finding in found} == {validation.Discrepancy.CHANGED_IN_DATABASE}
    service.sync(settings, Request(ME))
    assert crontab.read().count(b"PITASKER_ID") == 3


def test_an_import_into_a_crontab_with_a_bad_line_has_the_same_answer(settings, crontab):
    crontab.force(EXISTING + b"61 * * * * /bin/bad\n")
    done = adopt.adopt(settings, ME)
    assert isinstance(done.problem, InvalidSyntax)
    assert "was changed" not in done.problem.user_message
    assert len(tasks.listing(settings).tasks) == 3


def test_an_import_that_is_saved_but_not_in_the_crontab_has_the_exit_code_of_add(
    settings, crontab, refusing, answer, monkeypatch
):
    crontab.write(EXISTING)
    monkeypatch.setenv("PITASKER_CRONTAB", refusing.crontab_program)
    code, shape = answer("import")
    assert (code, shape["imported"], shape["error"]["code"]) == (1, 3, "CRONTAB_UNAVAILABLE")
    assert answer("add", "A", "@daily", "/bin/a")[0] == 1


# --- Going back to a snapshot --------------------------------------------------------------------


@pytest.fixture
def older(settings, crontab):
    """A snapshot that the crontab is not at any more."""
    crontab.write(EXISTING)
    create(settings)
    number = edit.snapshots(settings)[0].id
    create(settings, "Other", command="/bin/other")
    return number


def test_going_back_leaves_alone_what_was_changed_since_it_was_shown(settings, crontab, older):
    shown = install.digest(crontab.read().decode())
    by_hand = crontab.read() + b"# by hand\n"
    crontab.write(by_hand)
    with pytest.raises(ConcurrentModification, match="since it was shown"):
        edit.restore(settings, older, actor=ME, shown=shown)
    assert crontab.read() == by_hand
    edit.restore(settings, older, actor=ME, shown=install.digest(by_hand.decode()))
    assert crontab.read() != by_hand


@pytest.mark.parametrize("synced", [False, True])
def test_going_back_on_the_command_line_leaves_hand_edits_until_they_are_named(
    settings, crontab, older, answer, synced
):
    by_hand = crontab.read() + b"# by hand\n"
    crontab.write(by_hand)
    if synced:
        service.sync(settings, Request(BACKGROUND))
    code, shape = answer("restore", str(older))
    assert (code, shape["error"]["code"]) == (3, "CONCURRENT_MODIFICATION")
    assert crontab.read() == by_hand
    digest = install.digest(by_hand.decode())
    assert digest in shape["error"]["advice"]
    assert answer("restore", str(older), "--if-sha256", digest)[0] == 0
    assert b"by hand" not in crontab.read()


# --- Operations ----------------------------------------------------------------------------------


def test_an_edit_of_a_line_is_not_told_as_no_change(settings, crontab):
    crontab.write(EXISTING)
    text = EXISTING.decode()
    edit.save_raw(settings, text.replace("hello.sh", "bye.sh"), text, actor=ME)
    assert overview.outcome(history.operations(settings)[0]) == "the text was changed"
    service.sync(settings, Request(ME))
    assert overview.outcome(history.operations(settings)[0]) == "the crontab is as it was"


# --- What somebody else changed since it was shown ------------------------------------------------


def test_a_setting_that_was_changed_since_it_was_shown_is_not_overwritten(settings):
    shown = preferences.read(settings)
    preferences.change(settings, ME, shown, sync_minutes=10)
    with pytest.raises(Stale, match="sync minutes"):
        preferences.change(settings, ME, shown, sync_minutes=7)
    assert preferences.read(settings).sync_minutes == 10


def test_a_tab_overwrites_no_setting_that_it_did_not_change(settings):
    shown = preferences.read(settings)
    preferences.change(settings, ME, shown, sync_minutes=10)
    wanted = {**vars(shown), "keep_snapshots": 50}
    preferences.change(settings, ME, shown, **wanted)
    found = preferences.read(settings)
    assert (found.sync_minutes, found.keep_snapshots) == (10, 50)


def test_when_notices_are_sent_is_not_overwritten_from_another_tab(settings):
    shown = rules.read(settings)
    rules.change(settings, ME, shown, repeat_minutes=10)
    with pytest.raises(Stale):
        rules.change(settings, ME, shown, repeat_minutes=7)
    assert rules.read(settings).repeat_minutes == 10


def test_a_channel_is_not_overwritten_from_another_tab(settings):
    channels.add(settings, ME, "phone", "ntfy://a-topic")
    (shown,) = channels.listing(settings)
    channels.change(settings, ME, "phone", kinds=["failed"], shown=shown)
    with pytest.raises(Stale):
        channels.change(settings, ME, "phone", kinds=["missed"], shown=shown)
    channels.change(settings, ME, "phone", enabled=False, shown=shown)
    (found,) = channels.listing(settings)
    assert (found.kinds, found.enabled) == (("failed",), False)


def test_an_answer_to_a_crontab_that_has_changed_since_is_refused(settings, crontab):
    create(settings)
    crontab.remove()
    shown = install.digest(None)
    crontab.write(EXISTING)
    with pytest.raises(Stale):
        service.sync(settings, Request(ME, confirmed=True, policy=Policy.CRONTAB, shown=shown))
    assert tasks.listing(settings).tasks[0].is_system_managed


# --- Export --------------------------------------------------------------------------------------


def draft(settings, name="Draft"):
    return create(settings, name, command=f"/bin/{name}", system_managed=False).id


def test_an_export_of_a_task_that_there_is_none_of_is_refused(settings, crontab, answer):
    number = draft(settings)
    code, shape = answer("export", str(number), "999")
    assert (code, shape["error"]["message"]) == (3, "There is no task 999.")
    assert crontab.read() is None
    assert not tasks.get(settings, number).is_system_managed


def test_an_export_of_all_says_which_tasks_it_left_out(settings, answer, cli, capsys):
    number = draft(settings)
    assert answer("export")[1]["databaseOnly"] == [number]
    cli("export")
    assert f"database-only: {number}." in capsys.readouterr().out


def test_an_export_of_what_is_in_the_crontab_says_so(settings, crontab, answer):
    task = create(settings)
    code, shape = answer("export", str(task.id))
    assert (code, shape["synced"], shape["inStep"]) == (0, 0, [task.id])


def test_an_export_of_a_conflict_says_so(settings, crontab, cli, capsys):
    task = create(settings)
    crontab.write(crontab.read().replace(b"0 2 *", b"9 9 *"))
    tasks.change(settings, ME, task.id, schedule="7 7 * * *")
    assert cli("export", str(task.id)) == 1
    assert f"conflict: task {task.id}: choose" in capsys.readouterr().out


def test_an_export_of_a_database_only_task_is_an_event(settings, crontab):
    number = draft(settings)
    service.export(settings, ME, [number])
    newest = events.listing(settings, 1)[0]
    assert (newest.actor, newest.kind, newest.task) == (ME, "exported", number)


def test_an_export_that_crontab_refuses_says_that_it_is_saved(settings, crontab, refusing):
    number = draft(settings)
    done = service.export(refusing, ME, [number])
    assert "refused" in done.failures[number]
    assert tasks.listing(settings).states[number] is State.PENDING


def test_the_key_of_the_first_plan_names_tasks_too():
    assert models.Export.model_validate({"taskIds": [1, 2]}).tasks == [1, 2]
    assert models.Sync.model_validate({"tasks": [3]}).tasks == [3]


# --- Conflicts that wait --------------------------------------------------------------------------


@pytest.fixture
def conflict(settings, crontab):
    """A task that was changed by hand, and here without a crontab that could follow."""
    task = create(settings)
    nowhere = replace(settings, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, task.id, command="/bin/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    return task


def in_background(settings):
    return service.sync(settings, Request(BACKGROUND))


def test_a_conflict_that_nobody_decides_is_recorded_once(settings, conflict):
    before = len(history.operations(settings))
    for _ in range(3):
        assert in_background(settings).plan.conflicts
    assert len(history.operations(settings)) == before + 1


@pytest.mark.parametrize("back", [True, False])
def test_the_end_of_a_conflict_is_recorded_once(settings, crontab, conflict, back):
    in_background(settings)
    if back:  # both sides are what they agreed on last
        crontab.write(crontab.read().replace(b"7 7 * * *", b"0 2 * * *"))
        with database.session(settings) as session:
            undo = "update tasks set command = '/home/pi/backup.sh' where id = :id"
            session.execute(text(undo), {"id": conflict.id})
    else:
        request = Request(
            ME, only={conflict.crontab_id}, choices={conflict.crontab_id: Policy.CRONTAB}
        )
        service.sync(settings, request)
    before = len(history.operations(settings))
    for _ in range(2):
        in_background(settings)
    assert len(history.operations(settings)) == before + back
    assert history.operations(settings)[0].conflicts == 0


def test_a_conflict_that_becomes_another_is_recorded_again(settings, crontab, conflict):
    in_background(settings)
    before = len(history.operations(settings))
    crontab.write(crontab.read().replace(b"7 7 * * *", b"8 8 * * *"))
    for _ in range(2):
        in_background(settings)
    assert len(history.operations(settings)) == before + 1


# --- The start ------------------------------------------------------------------------------------


def test_what_a_killed_process_left_is_finished_at_the_start_before_anything_is_judged(
    settings, crontab
):
    task = create(settings)
    nowhere = replace(settings, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, task.id, command="/bin/new")
    work = Background(settings, minute=3600)
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
    settings, crontab, refusing
):
    task = create(settings)
    before = crontab.read()
    with pytest.raises(CrontabUnavailable) as refused:
        release(refusing, ME, [task.id])
    assert "not managed any more" in refused.value.user_message
    assert crontab.read() == before
    assert tasks.listing(settings).tasks == []
