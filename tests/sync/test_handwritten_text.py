"""Handwritten text in the crontab is kept, and restored entries return to their places."""

import json
import re

import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import NotFound
from pitasker_core.sync import edit, fixes, importing, service, stop_managing, validation
from pitasker_core.sync.fixes import Fix
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request
from pitasker_core.sync.validation import Discrepancy
from tests.helpers.examples import ME, create

WORDS = b" do not delete *, ask first"
BELOW = b'MAILTO=""\nPATH=/opt/bin\n0 1 * * * /bin/last\n'


def imported(environment, crontab, data):
    """The tasks imported from handwritten entries."""
    crontab.write(data)
    return [
        tasks.get(environment, number)
        for number in importing.import_entries(environment, ME).imported
    ]


def moved(environment, task, on):
    """Return the task after adding its entry to the crontab, or removing it."""
    done = tasks.change(environment, ME, task.id, system_managed=on)
    assert (done.failures, done.problem) == ({}, None)
    return done


def with_words(environment, crontab):
    task = create(environment)
    crontab.write(crontab.read().rstrip(b"\n") + WORDS + b"\n")
    service.sync(environment, Request(ME))
    return task


def words_found(environment):
    report = validation.validate(service.preview(environment))
    return [f for f in report.findings if f.kind is Discrepancy.WORDS_BEHIND_TAG]


def test_words_behind_a_tag_stay_there_and_out_of_the_command(environment, crontab):
    task = with_words(environment, crontab)
    before = crontab.read()
    assert before.endswith(WORDS + b"\n")
    assert tasks.get(environment, task.id).command == task.command
    tasks.change(environment, ME, task.id, schedule="5 5 * * *")
    assert crontab.read() == before.replace(b"0 2 * * *", b"5 5 * * *")


@pytest.mark.parametrize(
    ("fix", "command", "comment"),
    [
        (Fix.KEEP_AS_COMMENT, "", b"# do not delete *, ask first\n"),
        (Fix.MAKE_PART, WORDS.decode(), b""),
    ],
)
def test_words_behind_a_tag_are_reported_with_two_fixes(
    environment, crontab, fix, command, comment
):
    task = with_words(environment, crontab)
    findings = words_found(environment)
    assert fixes.of(findings[0]) == [Fix.KEEP_AS_COMMENT, Fix.MAKE_PART]
    fixes.apply(environment, ME, findings, fix)
    assert words_found(environment) == []
    assert tasks.get(environment, task.id).command == task.command + command
    assert crontab.read().startswith(comment + b"# Backup\n")
    assert tasks.get(environment, task.id).name == "Backup"


def test_a_released_entry_keeps_the_words_as_a_comment(environment, crontab):
    task = with_words(environment, crontab)
    stop_managing.stop_managing(environment, ME, [task.id])
    assert crontab.read().endswith(b"backup.sh #" + WORDS + b"\n")


@pytest.mark.parametrize("above", [b"#0 4 * * * /bin/a --full", b"# Ask before changing this!"])
def test_a_persons_comment_survives_a_restore_an_edit_and_a_removal(environment, crontab, above):
    [task] = imported(environment, crontab, above + b"\n0 4 * * * /bin/a\n")
    shown = crontab.read()
    crontab.write(above + b"\n")
    service.sync(environment, Request(ME, confirmed=True))
    crontab.write(shown)
    service.sync(environment, Request(ME, confirmed=True))
    assert tasks.get(environment, task.id).name == task.name
    tasks.change(environment, ME, task.id, name="Other")
    assert crontab.read() == shown
    tasks.delete(environment, ME, task.id)
    assert crontab.read() == above + b"\n"


def test_off_and_on_gives_the_same_bytes_though_the_neighbours_are_tasks_too(environment, crontab):
    data = b"MAILTO=me\n# Ask me\n0 1 * * * /bin/first\n\n  0  2 * * *\t/bin/second\n" + BELOW
    first, *_ = imported(environment, crontab, data)
    before = crontab.read()
    moved(environment, first, on=False)
    assert b"# Ask me\n\n" in crontab.read()
    assert moved(environment, first, on=True).notes == {}
    assert crontab.read() == before


def test_deleted_and_undone_gives_the_same_bytes(environment, crontab):
    crontab.write(BELOW)
    task = create(environment)
    crontab.write(crontab.read() + b"MAILTO=you\n0 3 * * * /bin/later\n")
    before = crontab.read()
    tasks.delete(environment, ME, task.id)
    tasks.undo_delete(environment, ME, task.id)
    assert crontab.read() == before


def test_removed_by_hand_and_brought_back_it_stands_in_its_place(environment, crontab):
    [task, *_] = imported(environment, crontab, b"MAILTO=me\n# Ask\n0 1 * * * /bin/first\n" + BELOW)
    before = crontab.read()
    crontab.write(re.sub(rb"0 1 \* \* \* /bin/first.*\n", b"", before))
    service.sync(environment, Request(ME))
    moved(environment, task, on=True)
    assert crontab.read() == before


@pytest.mark.parametrize("edited", [False, True])
def test_removed_by_hand_it_is_written_again_in_its_place(environment, crontab, edited):
    [task, _] = imported(environment, crontab, b"MAILTO=me\n# Ask\n0 1 * * * /bin/first\n" + BELOW)
    before = crontab.read()
    crontab.write(re.sub(rb"0 1 \* \* \* /bin/first.*\n", b"", before))
    schedule = b"0 1 * * *"
    if edited:
        schedule = b"15 3 * * *"
        tasks.change(environment, ME, task.id, schedule=schedule.decode())
    done = service.sync(
        environment, Request(ME, choices={task.tag: Policy.DATABASE}, confirmed=True)
    )
    assert done.notes == {}
    first = before.index(b"0 1 *")
    assert crontab.read() == before[:first] + schedule + before[first + 9 :]


def test_a_deleted_task_whose_entry_was_put_back_is_not_called_missing(environment, crontab):
    task, _ = create(environment), create(environment, "Other", command="/bin/other")
    crontab.write(b"# by hand\n" + crontab.read())
    service.sync(environment, Request(ME))
    text = crontab.read()
    tasks.delete(environment, ME, task.id)
    crontab.write(text)
    service.sync(environment, Request(ME, confirmed=True))
    with pytest.raises(NotFound, match="came back already"):
        tasks.undo_delete(environment, ME, task.id)
    assert tasks.get(environment, task.id).system_managed


def test_an_entry_taken_out_by_hand_from_below_its_name_stays_out(environment, crontab):
    crontab.write(BELOW)
    task, other = create(environment), create(environment, "Other", command="/bin/other")
    text = re.sub(rb".*/bin/other.*\n", b"# by hand\n", crontab.read())
    crontab.write(text)
    service.sync(environment, Request(ME))
    assert crontab.read() == text
    assert not tasks.get(environment, other.id).system_managed
    assert tasks.get(environment, task.id).system_managed


def test_where_the_place_is_gone_the_command_line_says_which_settings_reach_it(
    environment, crontab, cli, capsys
):
    [task, _] = imported(environment, crontab, b"MAILTO=me\n0 1 * * * /bin/first\n" + BELOW)
    moved(environment, task, on=False)
    crontab.write(b"MAILTO=you\nPATH=/usr/bin\n0 7 * * * /bin/other\n")
    assert cli("edit", str(task.id), "--system-managed", "--json") == 0
    [note] = json.loads(capsys.readouterr().out)["notes"]
    assert note["message"].endswith("a new one: MAILTO=you, PATH=/usr/bin.")


def test_an_odd_entry_that_was_taken_out_can_be_put_back_and_undone(environment, crontab):
    [task] = imported(environment, crontab, b"0 22-6 * * * /bin/odd\n")
    before = crontab.read()
    out = moved(environment, task, on=False)
    tasks.undo(environment, ME, out)
    assert crontab.read() == before
    changed = tasks.change(environment, ME, task.id, schedule="@daily")
    tasks.undo(environment, ME, changed)
    assert crontab.read() == before


def test_detach_adds_no_line_end(environment, crontab):
    task = create(environment)
    tasks.change(environment, ME, task.id, record_runs=True)
    crontab.write(crontab.read() + b"# the end")
    stop_managing.detach(environment, ME)
    assert crontab.read().endswith(b"\n# the end")


def test_a_restore_gives_back_a_last_comment_without_a_line_end(environment, crontab):
    crontab.write(b"0 1 * * * /bin/a\n# the end")
    importing.import_entries(environment, ME)
    first = edit.snapshots(environment)[-1]
    edit.save_raw(environment, "", crontab.read().decode(), actor=ME, confirmed=True)
    shown = crontab.read()
    edit.restore(environment, first.id, actor=ME, shown=digest((shown or b"").decode()))
    assert crontab.read() == b"0 1 * * * /bin/a\n# the end"


def test_an_import_of_a_line_of_a_windows_text_offers_to_mend_its_end(environment, crontab):
    crontab.write(b"0 1 * * * /bin/a\r\n")
    assert "Fix the line end" in importing.import_entries(environment, ME).errors[1]
    [odd] = [
        finding
        for finding in validation.validate(service.preview(environment)).findings
        if finding.kind is Discrepancy.ODD_ENTRY
    ]
    assert fixes.of(odd) == [Fix.UNIX_LINE_END]
