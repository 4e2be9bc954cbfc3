"""Sync from end to end, on the real `crontab` and a real PostgreSQL."""

import pytest

from pitasker_core import tasks
from pitasker_core.sync import importing, service, validation
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.validation import Discrepancy
from tests.helpers.examples import EXISTING, ME, create


def test_a_created_task_is_in_the_crontab_with_its_tag_and_its_name_above(environment, crontab):
    crontab.write(EXISTING)
    task = create(environment)
    entry = f"# Backup\n0 2 * * * /home/pi/backup.sh # PITASKER_ID:{task.tag}\n"
    assert crontab.read() == EXISTING + entry.encode()
    assert tasks.listing(environment).states[task.id] is tasks.State.SYNCED


def test_an_import_tags_entries_and_preserves_every_other_byte(environment, crontab):
    crontab.write(EXISTING)
    done = importing.import_entries(environment, ME)
    imported = [tasks.get(environment, number) for number in done.imported]
    assert [task.name for task in imported] == ["Nightly backup", "cat", "hello.sh"]
    assert {task.source for task in imported} == {"crontab"}
    text = crontab.read().decode()
    for task in imported:
        text = text.replace(f" # PITASKER_ID:{task.tag}", "")
    assert text.encode() == EXISTING
    stdin = f"cat >> /tmp/log # PITASKER_ID:{imported[1].tag}%a line of input\n"
    assert stdin in crontab.read().decode()


def test_a_changed_task_keeps_its_id_and_changes_its_line_alone(environment, crontab):
    crontab.write(EXISTING)
    task = create(environment)
    before = crontab.read().decode()
    changed = tasks.change(environment, ME, task.id, schedule="30 3 * * 1", command="/bin/other")
    assert changed.tasks[0].tag == task.tag
    assert crontab.read().decode() == before.replace(
        "0 2 * * * /home/pi/backup.sh #", "30 3 * * 1 /bin/other #"
    )


def test_a_deleted_task_leaves_the_others_as_they_were(environment, crontab):
    crontab.write(EXISTING)
    first = create(environment)
    between = create(environment, "Second", command="/bin/second")
    tasks.delete(environment, ME, first.id)
    entry = f"# Second\n0 2 * * * /bin/second # PITASKER_ID:{between.tag}\n"
    assert crontab.read() == EXISTING + entry.encode()


def test_undoing_a_deletion_brings_the_task_and_its_entry_back(environment, crontab):
    task = create(environment)
    tasks.delete(environment, ME, task.id)
    assert crontab.read() == b""
    tasks.undo_delete(environment, ME, task.id)
    assert b"0 2 * * * /home/pi/backup.sh # PITASKER_ID:" in crontab.read()
    assert tasks.listing(environment).states[task.id] is tasks.State.SYNCED


def test_toggling_off_removes_the_entry_and_on_adds_it_under_its_id(environment, crontab):
    crontab.write(EXISTING)
    task = create(environment)
    tasks.change(environment, ME, task.id, system_managed=False)
    assert crontab.read() == EXISTING
    assert tasks.listing(environment).states[task.id] is tasks.State.DATABASE_ONLY
    tasks.change(environment, ME, task.id, system_managed=True)
    again = tasks.get(environment, task.id)
    assert again.tag == task.tag
    assert f"PITASKER_ID:{again.tag}".encode() in crontab.read()


def test_pausing_comments_the_entry_out_in_its_place_and_resuming_restores_it(environment, crontab):
    crontab.write(EXISTING)
    importing.import_entries(environment, ME)
    before = crontab.read()
    number = next(t.id for t in tasks.listing(environment).tasks if t.name == "cat")
    tasks.change(environment, ME, number, paused=True)
    assert crontab.read() == before.replace(b"*/5 * * * * cat", b"# */5 * * * * cat")
    tasks.change(environment, ME, number, paused=False)
    assert crontab.read() == before


@pytest.fixture
def edited_by_hand(environment, crontab):
    task = create(environment)
    crontab.write(crontab.read().replace(b"0 2 * * *", b"45 5 * * *"))
    return task


def test_validate_finds_an_entry_that_was_edited_by_hand(environment, edited_by_hand):
    report = validation.validate(service.preview(environment))
    assert not report.is_valid
    (finding,) = report.findings
    assert (finding.kind, finding.task, finding.line) == (
        Discrepancy.CHANGED_IN_CRONTAB,
        edited_by_hand.id,
        2,
    )


def test_a_hand_edit_comes_into_the_database_with_the_next_sync(
    environment, crontab, edited_by_hand
):
    text = crontab.read()
    service.sync(environment, Request(ME))
    assert tasks.get(environment, edited_by_hand.id).schedule == "45 5 * * *"
    assert crontab.read() == text


def test_a_hand_edit_is_undone_when_the_databases_version_is_chosen(
    environment, crontab, edited_by_hand
):
    tag = edited_by_hand.tag
    service.sync(environment, Request(ME, choices={tag: Policy.DATABASE}))
    assert b"0 2 * * * /home/pi/backup.sh" in crontab.read()
    assert tasks.get(environment, edited_by_hand.id).schedule == "0 2 * * *"
