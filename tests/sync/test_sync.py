"""Sync with edits from both sides, and cases that it refuses to guess."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from pitasker_core import tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import (
    CrontabReverted,
    CrontabUnavailable,
    InvalidSyntax,
    MassRemoval,
    ParseError,
    PermissionDenied,
    Stale,
)
from pitasker_core.reports import status
from pitasker_core.sync import edit, importing, operation_history, service, validation
from pitasker_core.sync.merge import Fields, Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.validation import Discrepancy
from pitasker_core.tasks import State
from tests.helpers.examples import EXISTING, ME, create


def sync(environment, **options):
    return service.sync(environment, Request(ME, **options))


def kinds(environment):
    return [finding.kind for finding in validation.validate(service.preview(environment)).findings]


@pytest.fixture
def conflict(environment, crontab):
    """A task whose schedule was changed by hand and whose command was changed in a database
    that could not reach the crontab."""
    task = create(environment)
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, task.id, command="/bin/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    return task


def test_edits_of_different_entries_from_both_sides_are_both_kept(environment, crontab):
    ours, theirs = create(environment, "Ours"), create(environment, "Theirs", command="/bin/theirs")
    crontab.write(crontab.read().replace(b"/bin/theirs", b"/bin/by-hand"))
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, ours.id, command="/bin/changed")
    sync(environment)
    assert tasks.get(environment, theirs.id).command == "/bin/by-hand"
    assert b"/bin/changed" in crontab.read()
    assert b"/bin/by-hand" in crontab.read()


def test_a_conflict_leaves_both_sides_untouched(environment, crontab, conflict):
    before = crontab.read()
    done = sync(environment)
    assert [c.tag for c in done.plan.conflicts] == [conflict.tag]
    assert crontab.read() == before
    assert tasks.get(environment, conflict.id).command == "/bin/ours"
    assert tasks.listing(environment).states[conflict.id] is State.CONFLICT
    assert kinds(environment) == [Discrepancy.CHANGED_IN_BOTH]


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (Policy.DATABASE, b"0 2 * * * /bin/ours #"),
        (Policy.CRONTAB, b"7 7 * * * /home/pi/backup.sh #"),
        (Fields("Backup", "7 7 * * *", "/bin/ours"), b"7 7 * * * /bin/ours #"),
    ],
)
def test_a_conflict_is_resolved_by_either_side_or_a_mix(
    environment, crontab, conflict, choice, line
):
    sync(environment, choices={conflict.tag: choice})
    task = tasks.get(environment, conflict.id)
    assert line in crontab.read()
    assert line == f"{task.schedule} {task.command} #".encode()
    assert kinds(environment) == []


@pytest.mark.parametrize("policy", [Policy.DATABASE, Policy.CRONTAB])
def test_a_policy_resolves_all_conflicts(environment, conflict, policy):
    assert sync(environment, policy=policy).plan.conflicts == []
    assert kinds(environment) == []


def test_an_entry_removed_by_hand_leaves_its_task_as_database_only(environment, crontab):
    task = create(environment)
    other = create(environment, "Other")
    crontab.write(b"".join(crontab.read().splitlines(keepends=True)[2:]))
    assert kinds(environment) == [Discrepancy.MISSING_IN_CRONTAB]
    sync(environment)
    listing = tasks.listing(environment)
    assert listing.states == {task.id: State.DATABASE_ONLY, other.id: State.SYNCED}


def test_an_entry_pasted_back_makes_its_task_system_managed_again(environment, crontab):
    task = create(environment)
    create(environment, "Other")
    whole = crontab.read()
    crontab.write(b"".join(whole.splitlines(keepends=True)[2:]))
    sync(environment)
    crontab.write(whole + b"# a comment, so that it is no old text\n")
    sync(environment)
    assert tasks.listing(environment).states[task.id] is State.SYNCED


def test_a_name_changed_by_hand_renames_the_task(environment, crontab):
    task = create(environment)
    crontab.write(crontab.read().replace(b"# Backup\n", b"# Backup of the photos\n"))
    sync(environment)
    assert tasks.get(environment, task.id).name == "Backup of the photos"


def test_a_deleted_task_whose_entry_was_edited_meanwhile_is_a_conflict(environment, crontab):
    task = create(environment)
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.delete(nowhere, ME, task.id)
    crontab.write(crontab.read().replace(b"0 2", b"9 9"))
    assert sync(environment).plan.conflicts
    sync(environment, policy=Policy.CRONTAB)
    assert tasks.get(environment, task.id).deleted_at is None
    assert tasks.get(environment, task.id).schedule == "9 9 * * *"


def test_a_sync_that_finds_nothing_in_the_background_leaves_no_record(environment, crontab):
    create(environment)
    before = operation_history.operations(environment)
    service.sync(environment, Request(Actor.BACKGROUND))
    assert operation_history.operations(environment) == before


def test_entries_nobody_imported_are_left_alone(environment, crontab):
    crontab.write(EXISTING)
    sync(environment)
    assert crontab.read() == EXISTING
    assert tasks.listing(environment).tasks == []


def test_a_crontab_that_vanished_stops_the_sync_until_a_person_confirms(environment, crontab):
    task = create(environment)
    crontab.remove()
    with pytest.raises(MassRemoval):
        sync(environment)
    assert tasks.get(environment, task.id).system_managed
    sync(environment, confirmed=True)
    assert not tasks.get(environment, task.id).system_managed


def test_a_vanished_crontab_is_written_again_when_the_database_shall_win(environment, crontab):
    task = create(environment)
    whole = crontab.read()
    crontab.remove()
    sync(environment, choices={task.tag: Policy.DATABASE})
    assert crontab.read() == whole


def test_most_entries_gone_at_once_stops_the_sync(environment, crontab):
    for name in "abcde":
        create(environment, name)
    crontab.write(b"".join(crontab.read().splitlines(keepends=True)[:4]))
    with pytest.raises(MassRemoval):
        sync(environment)


def test_an_older_crontab_saved_over_ours_is_reported_and_not_pulled(environment, crontab):
    task = create(environment)
    old = crontab.read()
    tasks.change(environment, ME, task.id, command="/bin/new")
    crontab.write(old)
    with pytest.raises(CrontabReverted):
        sync(environment)
    assert tasks.get(environment, task.id).command == "/bin/new"
    sync(environment, choices={task.tag: Policy.DATABASE})
    assert b"/bin/new" in crontab.read()


def test_a_copied_entry_is_found_and_the_original_keeps_its_task(environment, crontab):
    task = create(environment)
    line = crontab.read().splitlines(keepends=True)[1]
    crontab.write(line.replace(b"0 2", b"1 1") + crontab.read())
    assert kinds(environment) == [Discrepancy.COPIED_TAG]
    sync(environment)
    assert tasks.get(environment, task.id).schedule == "0 2 * * *"


def test_a_copied_entry_is_imported_with_a_tag_of_its_own(environment, crontab):
    task = create(environment)
    crontab.write(crontab.read() + crontab.read().splitlines(keepends=True)[1])
    done = importing.import_entries(
        environment, ME, options=importing.ImportOptions(skip_duplicates=False)
    )
    (copy,) = done.imported
    assert tasks.get(environment, copy).tag != task.tag
    assert crontab.read().count(str(task.tag).encode()) == 1
    assert kinds(environment) == []


def test_a_lost_tag_is_a_choice_and_can_be_put_back(environment, crontab):
    task = create(environment)
    tagged = crontab.read()
    crontab.write(tagged.replace(f" # PITASKER_ID:{task.tag}".encode(), b""))
    assert kinds(environment) == [Discrepancy.LOST_TAG]
    assert sync(environment).plan.conflicts
    sync(environment, choices={task.tag: Policy.DATABASE})
    assert crontab.read() == tagged


def test_an_entry_with_an_unknown_tag_is_adopted_under_that_id(environment, crontab):
    tag = "7c0e3a52-0b1f-4a5e-9a57-3f3d9c1b2a11"
    crontab.write(f"# Old\n0 1 * * * /bin/old # PITASKER_ID:{tag}\n".encode())
    before = crontab.read()
    assert kinds(environment) == [Discrepancy.UNKNOWN_TAG]
    sync(environment)
    assert crontab.read() == before
    (number,) = importing.import_entries(environment, ME).imported
    assert str(tasks.get(environment, number).tag) == tag
    assert crontab.read() == before


def test_an_entry_broken_by_hand_is_named_and_its_task_is_held(environment, crontab):
    task = create(environment)
    # `crontab` on ARM accepts this line. Here the line is written into the spool without a check.
    broken = crontab.read().replace(b"0 2 * * *", b"61 2 * * *")
    crontab.force(broken)
    done = sync(environment)
    assert "minute must be 0 to 59" in done.failures[task.id]
    assert crontab.read() == broken
    assert tasks.listing(environment).states[task.id] is State.FAILED
    assert status.status(environment).health is status.Health.RED


def test_nothing_is_in_order_while_cron_does_not_run(environment):
    create(environment)
    listing = tasks.listing(environment)
    assert status.summary(listing, [], cron_alive=None).health is status.Health.GREEN
    dead = status.summary(listing, [], cron_alive=False)
    assert dead.health is status.Health.RED
    assert dead.reasons == ["cron is not running: no job will start."]


def test_a_crontab_that_crontab_itself_would_refuse_names_the_line_at_fault(environment, crontab):
    create(environment)
    broken = crontab.read() + b"61 * * * * /bin/never\n"
    crontab.force(broken)
    done = tasks.create(environment, ME, tasks.NewTask("New", "1 1 * * *", "/bin/new"))
    assert isinstance(done.problem, InvalidSyntax)
    assert "line 3: minute must be 0 to 59" in done.problem.message
    assert crontab.read() == broken


def test_the_header_that_debian_hides_is_never_written_back(environment, crontab, monkeypatch):
    monkeypatch.setenv("CRONTAB_NOHEADER", "N")  # `crontab -l` shows it
    crontab.write(EXISTING)
    create(environment)
    assert crontab.read().startswith(EXISTING)


def test_a_nul_byte_in_the_crontab_stops_every_write(environment, crontab):
    create(environment)
    odd = crontab.read() + b"0 5 * * * /bin/a\x000 6 * * * /bin/b\n"  # two jobs to cron
    crontab.force(odd)
    nobody = tasks.create(environment, ME, tasks.NewTask("New", "1 1 * * *", "/bin/new"))
    assert isinstance(nobody.problem, ParseError)
    assert crontab.read() == odd


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo 'crontab: cannot open spool' >&2; exit 1", CrontabUnavailable),
        (
            "echo 'You (pi) are not allowed to use this program (crontab)' >&2; exit 1",
            PermissionDenied,
        ),
        ("exit 0 </dev/null; kill -9 $$", CrontabUnavailable),
    ],
)
def test_a_failed_read_is_an_error_and_never_an_empty_crontab(
    environment, crontab, fake_crontab, script, error
):
    task = create(environment)
    before = crontab.read()
    if error is CrontabUnavailable and "kill" in script:
        script = "kill -9 $$"
    failing = replace(environment, crontab_program=str(fake_crontab(f"#!/bin/sh\n{script}\n")))
    with pytest.raises(error):
        sync(failing)
    assert crontab.read() == before
    assert tasks.get(environment, task.id).system_managed


def test_a_task_saved_without_a_crontab_program_reaches_the_crontab_later(environment, crontab):
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    done = tasks.create(nowhere, ME, tasks.NewTask("Later", "0 1 * * *", "/bin/later"))
    assert isinstance(done.problem, CrontabUnavailable)
    assert tasks.listing(nowhere).states[done.tasks[0].id] is State.PENDING
    sync(environment)
    assert b"/bin/later" in crontab.read()


def test_an_edit_of_something_stale_is_refused(environment, crontab):
    task = create(environment)
    tasks.change(environment, ME, task.id, task.version, command="/bin/first")
    with pytest.raises(Stale):
        tasks.change(environment, ME, task.id, task.version, command="/bin/second")
    assert b"/bin/first" in crontab.read()


def test_edits_are_saved_all_or_none(environment, crontab):
    first, second = create(environment, "One"), create(environment, "Two")
    before = crontab.read()
    edits = [
        tasks.Edit(first.id, fields={"command": "/bin/good"}),
        tasks.Edit(second.id, fields={"schedule": "61 * * * *"}),
    ]
    with pytest.raises(InvalidSyntax, match="“Two”: Minute must be 0 to 59"):
        tasks.apply(environment, ME, edits)
    assert tasks.get(environment, first.id).command == first.command
    assert crontab.read() == before


def test_an_export_writes_tasks_that_were_database_only(environment, crontab):
    task = create(environment, system_managed=False)
    assert not crontab.read()
    done = service.export(environment, ME, [task.id])
    assert len(done.pushed) == 1
    assert b"/home/pi/backup.sh # PITASKER_ID:" in crontab.read()


def test_a_snapshot_restores_exact_bytes_and_the_tasks_follow(environment, crontab):
    crontab.write(EXISTING)
    task = create(environment)
    before = crontab.read()
    tasks.change(environment, ME, task.id, command="/bin/new")
    snapshot = next(
        s for s in edit.snapshots(environment) if s.sha256 == sha256(before).hexdigest()
    )
    edit.restore(environment, snapshot.id, actor=ME)
    assert crontab.read() == before
    assert tasks.get(environment, task.id).command == "/home/pi/backup.sh"


def test_a_raw_edit_is_installed_and_the_tasks_follow(environment, crontab):
    task = create(environment)
    text = crontab.read().decode()
    edit.save_raw(environment, text.replace("0 2", "3 3") + "# more\n@daily x", text, actor=ME)
    assert crontab.read().endswith(b"# more\n@daily x\n")
    assert tasks.get(environment, task.id).schedule == "3 3 * * *"


def test_a_raw_edit_keeps_its_backup_as_a_file(environment, crontab):
    crontab.write(EXISTING)
    saved = edit.save_raw(environment, "# new\n", EXISTING.decode(), actor=ME)
    assert Path(saved.backup).read_bytes() == EXISTING


def test_carriage_returns_and_foreign_bytes_survive_every_write(environment, crontab):
    odd = b"# caf\xe9\r\n0 5 * * * echo caf\xe9\r\n0 6 * * * echo '\\r'\n"
    crontab.write(odd)
    task = create(environment)
    assert crontab.read().startswith(odd)
    tasks.delete(environment, ME, task.id)
    assert crontab.read() == odd
