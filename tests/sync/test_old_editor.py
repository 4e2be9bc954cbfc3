"""`crontab -e` is opened, PiTasker writes, and the editor overwrites that."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from pitasker_core import tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import ConcurrentModification, CrontabReverted, MassRemoval
from pitasker_core.runs.cron_log import edits
from pitasker_core.runs.cron_log.log_lines import Event, Kind
from pitasker_core.sync import edit, importing, install, operation_history, service, validation
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.tasks import State
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.processes import in_child


def in_background(environment):
    return service.sync(environment, Request(Actor.BACKGROUND))


@pytest.fixture
def opened(environment, crontab):
    """The text in an editor, opened before a task was edited here and another was created."""
    crontab.write(EXISTING)
    task = create(environment, "Edited", command="/bin/edited")
    text = crontab.read()
    tasks.change(environment, ME, task.id, schedule="30 3 * * *")
    create(environment, "New", command="/bin/new")
    return text


def test_what_was_done_here_is_put_back_and_what_the_editor_changed_is_kept(
    environment, crontab, opened
):
    here = crontab.read()
    crontab.write(opened + b"# by hand\n15 5 * * * /bin/by-hand\n")
    in_background(environment)
    assert crontab.read() == here + b"# by hand\n15 5 * * * /bin/by-hand\n"
    assert set(tasks.listing(environment).states.values()) == {State.SYNCED}
    assert validation.validate(service.preview(environment)).is_valid


def test_an_entry_that_was_deleted_here_and_changed_in_the_editor_is_a_conflict(
    environment, crontab
):
    crontab.write(b"0 2 * * * /bin/backup\n")  # no comment of ours says that the text is old
    importing.import_entries(environment, ME)
    saved = crontab.read().replace(b"0 2", b"0 5")
    [task] = tasks.listing(environment).tasks
    tasks.delete(environment, ME, task.id)
    crontab.write(saved)
    [conflict] = in_background(environment).plan.conflicts
    assert (conflict.ours, conflict.theirs.schedule) == (None, "0 5 * * *")
    assert tasks.listing(environment).tasks == []


def test_an_entry_changed_in_the_editor_is_taken_over(environment, crontab, opened):
    other = create(environment, "Other", command="/bin/other")
    before = crontab.read()
    tasks.change(environment, ME, other.id, notes="no line changes")
    create(environment, "Last", command="/bin/last")
    crontab.write(before.replace(b"/bin/new", b"/bin/by-hand"))
    in_background(environment)
    assert {task.command for task in tasks.listing(environment).tasks} == {
        "/bin/edited",
        "/bin/by-hand",
        "/bin/other",
        "/bin/last",
    }
    assert b"/bin/last" in crontab.read()


def test_an_entry_changed_here_and_in_the_editor_waits_for_a_choice(environment, crontab, opened):
    by_hand = opened.replace(b"/bin/edited", b"/bin/edited --all")
    crontab.write(by_hand)
    for _ in range(2):
        (conflict,) = in_background(environment).plan.conflicts
        assert (conflict.ours.schedule, conflict.theirs.command) == (
            "30 3 * * *",
            "/bin/edited --all",
        )
    assert b"0 2 * * * /bin/edited --all" in crontab.read()
    assert b"/bin/new" in crontab.read()


def test_a_conflict_is_still_one_after_a_death_between_the_crontab_and_the_database(
    environment, crontab, opened, monkeypatch
):
    crontab.write(opened.replace(b"/bin/edited", b"/bin/edited --all"))
    installed = install.installed

    def dying(*arguments):
        with installed(*arguments):
            os._exit(9)

    monkeypatch.setattr(install, "installed", dying)
    assert in_child(environment, lambda: in_background(environment)) == 9
    monkeypatch.undo()
    assert b"/bin/new" in crontab.read()
    (conflict,) = in_background(environment).plan.conflicts
    assert (conflict.ours.schedule, conflict.theirs.command) == ("30 3 * * *", "/bin/edited --all")


def test_what_was_put_back_is_said_and_can_be_taken_back(environment, crontab, opened):
    ids = {task.name: task.id for task in tasks.listing(environment).tasks}
    crontab.write(opened + b"# by hand\n")
    in_background(environment)
    operation = operation_history.operation(
        environment, operation_history.operations(environment)[0].id
    )
    assert operation.details["putBack"] == [ids["Edited"], ids["New"]]
    tasks.undo_operation(environment, ME, operation)
    assert tasks.get(environment, ids["Edited"]).schedule == "0 2 * * *"
    assert not tasks.get(environment, ids["New"]).system_managed
    assert crontab.read() == opened + b"# by hand\n"


def test_an_edit_here_right_after_the_editor_was_saved_hides_nothing(environment, crontab, opened):
    crontab.write(opened + b"# by hand\n")
    create(environment, "Later", command="/bin/later")
    assert b"30 3 * * * /bin/edited" in crontab.read()
    in_background(environment)
    states = tasks.listing(environment).states
    assert set(states.values()) == {State.SYNCED}
    assert b"30 3 * * * /bin/edited" in crontab.read()
    assert b"/bin/new" in crontab.read()


def test_a_new_task_hides_no_crontab_that_came_back(environment, crontab, opened):
    crontab.write(opened)
    done = tasks.create(environment, ME, tasks.NewTask("Later", "@daily", "/bin/later"))
    assert isinstance(done.problem, CrontabReverted)
    assert crontab.read() == opened
    with pytest.raises(CrontabReverted):
        in_background(environment)


def test_an_import_hides_nothing_that_an_old_editor_undid(environment, crontab, opened):
    crontab.write(opened + b"15 5 * * * /bin/by-hand\n")
    importing.import_entries(environment, ME)
    in_background(environment)
    assert b"30 3 * * * /bin/edited" in crontab.read()
    assert b"/bin/new" in crontab.read()
    assert validation.validate(service.preview(environment)).is_valid


def test_giving_entries_back_hides_nothing_that_an_old_editor_undid(environment, crontab, opened):
    other = create(environment, "Other", command="/bin/other")
    crontab.write(opened + b"# by hand\n")
    stop_managing(environment, ME, [other.id])
    assert b"30 3 * * * /bin/edited" in crontab.read()
    assert b"/bin/new # PITASKER_ID" in crontab.read()
    assert b"/bin/other\n" in crontab.read()


def test_a_raw_edit_of_what_an_old_editor_left_is_refused_once(environment, crontab, opened):
    loaded = (opened + b"# by hand\n").decode()
    crontab.write(loaded.encode())
    with pytest.raises(ConcurrentModification):
        edit.save_raw(environment, loaded + "# more\n", loaded, actor=ME)
    loaded = crontab.read().decode()
    assert "30 3 * * * /bin/edited" in loaded
    edit.save_raw(environment, loaded + "# more\n", loaded, actor=ME)
    assert crontab.read().decode() == loaded + "# more\n"


def test_a_raw_edit_made_here_survives_the_editor(environment, crontab, opened):
    text = opened.decode()
    now = crontab.read().decode()
    here = now.replace("MAILTO=pi@example.org", "MAILTO=me@example.org")
    edit.save_raw(environment, here, now, actor=ME)
    crontab.write(text.replace("/home/pi/hello.sh", "/home/pi/bye.sh").encode())
    in_background(environment)
    assert crontab.read().decode() == here.replace("/home/pi/hello.sh", "/home/pi/bye.sh")


def test_a_line_that_no_task_manages_changed_on_both_sides_stops_the_sync(
    environment, crontab, opened
):
    now = crontab.read().decode()
    here = now.replace("MAILTO=pi@example.org", "MAILTO=me@example.org")
    edit.save_raw(environment, here, now, actor=ME)
    by_hand = opened.replace(b"MAILTO=pi@example.org", b"MAILTO=you@example.org")
    crontab.write(by_hand)
    with pytest.raises(CrontabReverted, match=r"MAILTO=me@example\.org"):
        in_background(environment)
    assert crontab.read() == by_hand
    service.sync(environment, Request(ME, confirmed=True))
    assert crontab.read() == by_hand


def test_a_dry_run_says_what_would_be_put_back(environment, crontab, opened):
    crontab.write(opened + b"# by hand\n")
    plan = service.preview(environment).plan
    assert (len(plan.pushes), len(plan.pulls)) == (2, 0)
    before = crontab.read()
    created = tasks.preview(environment, [])
    assert created.before.encode() == before


def test_a_crontab_without_the_entries_of_today_still_asks(environment, crontab):
    crontab.write(EXISTING)
    for name in "abc":
        create(environment, name, command=f"/bin/{name}")
    crontab.write(EXISTING + b"# by hand\n")
    with pytest.raises(MassRemoval):
        in_background(environment)
    service.sync(environment, Request(ME, confirmed=True))
    assert crontab.read() == EXISTING + b"# by hand\n"


def test_an_imported_entry_that_is_deleted_by_hand_stays_deleted(environment, crontab):
    crontab.write(EXISTING)
    offered = importing.importable(service.preview(environment))
    importing.import_entries(
        environment, ME, [next(item for item in offered if "backup.sh" in item.raw)]
    )
    lines = crontab.read().splitlines(keepends=True)
    left = [line for line in lines if b"backup.sh" not in line]
    by_hand = b"".join([*left, b"15 5 * * * /bin/backup.sh\n"])
    crontab.write(by_hand)
    in_background(environment)
    assert crontab.read() == by_hand
    assert State.DATABASE_ONLY in tasks.listing(environment).states.values()


@pytest.mark.parametrize("is_proved", [True, False])
def test_an_edit_that_began_after_the_last_write_is_never_an_old_editors(
    environment, crontab, opened, is_proved
):
    last_write = edit.snapshots(environment)[0].taken_at

    def began_after(at):
        assert at == last_write
        return is_proved

    by_hand = opened + b"# by hand\n"
    crontab.write(by_hand)
    service.sync(environment, Request(Actor.BACKGROUND, began_after=began_after))
    assert (crontab.read() == by_hand) is is_proved


# --- What cron's log proves ----------------------------------------------------------------------

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BEGUN, SAVED, ENDED = Kind.EDIT_BEGUN, Kind.REPLACED, Kind.EDIT_ENDED


@pytest.mark.parametrize(
    ("log", "is_proved"),
    [
        ([(60, 1, BEGUN), (90, 1, SAVED), (90, 1, ENDED)], True),
        ([(0, 9, SAVED), (60, 1, BEGUN), (90, 1, SAVED), (90, 1, ENDED)], True),
        ([(-600, 2, BEGUN), (-500, 2, ENDED), (60, 1, BEGUN), (90, 1, SAVED)], True),
        ([(-60, 1, BEGUN), (90, 1, SAVED), (90, 1, ENDED)], False),
        ([(1, 1, BEGUN), (90, 1, SAVED), (90, 1, ENDED)], False),
        ([(-60, 1, BEGUN), (0, 1, SAVED), (0, 1, ENDED), (60, 2, BEGUN), (90, 2, SAVED)], False),
        ([(60, 1, BEGUN), (90, 1, SAVED), (95, 2, SAVED)], False),
        ([(60, 1, BEGUN), (90, 1, SAVED), (95, 2, Kind.REMOVED)], False),
        ([(-60, 2, BEGUN), (60, 1, BEGUN), (90, 1, SAVED), (90, 1, ENDED)], False),
        ([(60, 1, BEGUN), (90, 1, ENDED)], False),
        ([(90, 1, SAVED)], False),
        ([], False),
    ],
)
def test_the_log_proves_an_edit_after_a_write_only_when_nothing_else_can_be(log, is_proved):
    events = [
        Event(NOON + timedelta(seconds=at), kind, pid, "pi", "pi", is_verified=True)
        for at, pid, kind in log
    ]
    assert edits.last_edit_began_after(events, "pi", NOON) is is_proved


def test_a_line_that_anybody_may_have_written_proves_nothing():
    lines = [(60, BEGUN), (90, SAVED), (90, ENDED)]
    events = [Event(NOON + timedelta(seconds=at), kind, 1, "pi", "pi") for at, kind in lines]
    assert not edits.last_edit_began_after(events, "pi", NOON)


def test_edits_of_other_users_change_no_proof():
    log = [(60, BEGUN, "pi"), (90, SAVED, "pi"), (95, SAVED, "root"), (96, BEGUN, "root")]
    events = [
        Event(NOON + timedelta(seconds=at), kind, 1, user, user, is_verified=True)
        for at, kind, user in [*log, (99, ENDED, "pi")]
    ]
    assert edits.last_edit_began_after(events, "pi", NOON)
    assert not edits.last_edit_began_after(events, "root", NOON)


def test_a_log_in_a_file_proves_nothing(environment):
    environment.cron_log.write_text("")
    assert not edits.began_after(environment, NOON)


@pytest.fixture
def unclear(environment, crontab):
    """Create a task, and save a text without it. Returns the task and the text."""
    crontab.write(EXISTING)
    before = crontab.read()
    task = create(environment, "Made here", command="/bin/made-here")
    crontab.write(before + b"# by hand\n")
    return task, crontab.read()


def test_an_entry_that_was_deleted_or_never_seen_by_an_editor_asks(environment, crontab, unclear):
    task, saved = unclear
    for _ in range(2):
        with pytest.raises(CrontabReverted, match="Made here"):
            in_background(environment)
    with pytest.raises(CrontabReverted, match="Made here"):
        service.sync(environment, Request(ME))
    assert crontab.read() == saved
    assert tasks.get(environment, task.id).system_managed


def test_confirmed_it_was_deleted(environment, crontab, unclear):
    task, saved = unclear
    service.sync(environment, Request(ME, confirmed=True))
    assert crontab.read() == saved
    assert not tasks.get(environment, task.id).system_managed


def test_with_the_databases_version_it_is_put_back(environment, crontab, unclear):
    task, _ = unclear
    choice = {task.tag: Policy.DATABASE}
    service.sync(environment, Request(ME, choices=choice, confirmed=True))
    assert f"PITASKER_ID:{task.tag}".encode() in crontab.read()
    assert b"# by hand\n" in crontab.read()


def test_the_journal_can_decide_that_it_was_deleted(environment, crontab, unclear):
    task, saved = unclear
    service.sync(environment, Request(Actor.BACKGROUND, began_after=lambda _: True))
    assert crontab.read() == saved
    assert not tasks.get(environment, task.id).system_managed


# --- An old crontab file that comes back ---------------------------------------------------------


@pytest.mark.parametrize("more", [b"", b"# by hand\n"])
def test_an_old_file_that_comes_back_leaves_no_job_in_two_lines(environment, crontab, more):
    crontab.write(EXISTING)
    importing.import_entries(environment, ME)
    backup = next(t for t in tasks.listing(environment).tasks if "backup.sh" in t.command)
    tasks.change(environment, ME, backup.id, schedule="30 3 * * *")
    here = crontab.read()
    crontab.write(EXISTING + more)
    choices = {c.tag: Policy.DATABASE for c in service.preview(environment).plan.changes}
    service.sync(environment, Request(ME, choices=choices))
    assert crontab.read() == here + more
    assert validation.validate(service.preview(environment)).is_valid
