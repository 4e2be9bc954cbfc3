"""Switching recording on and off in the real crontab restores every byte, and jobs never depend on
PiTasker's presence."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pitasker_core import tasks
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import add_recorder, parse, split_stdin
from pitasker_core.crontab.execution import read_stdin, unescape
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording, unwrap, wrap
from pitasker_core.runs import recorder
from pitasker_core.sync import edit, importing, recorder_copy, service, validation
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import detach, stop_managing
from pitasker_core.sync.validation import Discrepancy
from tests.helpers.examples import EXISTING, ME, create

HERE = Recorder("/home/pi/pitasker-recorder", 12)

commands = st.text(st.sampled_from("ab'\"\\%$`!#;&|()<> \t~*é/=-"), min_size=1, max_size=40).filter(
    lambda text: text.strip()
)
recordings = st.builds(
    Recording, st.just(True), st.none() | st.integers(1, 9_999_999), st.booleans()
)
paths = st.sampled_from(
    ["/pitasker-recorder", "/home/pi/pitasker-recorder", "/srv/my data/pitasker-recorder"]
)


@given(commands, st.builds(Recorder, paths, st.integers(1, 2**31)), recordings)
def test_what_was_wrapped_is_unwrapped_to_the_byte(command, recorder, how):
    proper, _ = split_stdin(command)
    assert unwrap(wrap(proper, recorder, how)) == (proper, recorder, how)


@given(commands, recordings)
def test_standard_input_stays_where_it_was(command, how):
    _, stdin = split_stdin(command)
    assert split_stdin(add_recorder(command, HERE, how))[1] == stdin


@pytest.fixture(scope="module")
def telling(tmp_path_factory):
    """A recorder that only prints its arguments."""
    program = tmp_path_factory.mktemp("telling") / "pitasker-recorder"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nprintf .\ncat\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash", "/bin/dash"])
def test_every_shell_hands_the_recorder_what_cron_would_have_handed_to_it(shell, telling):
    @given(commands, recordings)
    @hypothesis_settings(max_examples=60)
    def hands_on(command, how):
        proper, stdin = split_stdin(add_recorder(command, Recorder(telling, 12), how))
        output = subprocess.run(
            [shell, "-c", unescape(proper)[0]],
            input=read_stdin(stdin),
            capture_output=True,
            check=True,
        ).stdout.decode()
        words, _, given_in = output.rpartition("\n.")
        *options, task, rest = words.split("\n")
        assert (task, rest) == ("12", unescape(split_stdin(command)[0])[0])
        assert given_in == read_stdin(split_stdin(command)[1]).decode()
        limit = ["--timeout", str(how.timeout_seconds)] if how.timeout_seconds else []
        assert options == limit + ["--no-overlap"] * how.no_overlap

    hands_on()


@pytest.mark.parametrize(
    "line",
    [
        "@daily /usr/bin/recorder 12 'a'",
        "@daily /x/pitasker-recorder 12 'a' >> /tmp/log",
        "@daily /x/pitasker-recorder 'a'",
        "@daily /x/pitasker-recorder 12 a",
        "@daily nice /x/pitasker-recorder 12 'a'",
        "@daily /x/pitasker-recorder --timeout 0 12 'a'",
    ],
)
def test_a_command_that_is_not_exactly_ours_is_the_persons_own(line):
    entry = parse(line + "\n").entry(0)
    assert (entry.command, entry.recording) == (line.removeprefix("@daily "), PLAIN)


def test_a_folder_that_cannot_stand_in_a_crontab_is_refused_with_what_to_do():
    with pytest.raises(InvalidSyntax, match="cannot be recorded from the folder"):
        wrap("a", Recorder("/it's/pitasker-recorder", 1), Recording(True))


# --- In the real crontab ---


def record(environment, task, **fields):
    return tasks.change(environment, ME, task.id, record_runs=True, **fields)


def test_recording_is_switched_on_and_off_and_the_bytes_are_as_before(environment, crontab):
    crontab.write(EXISTING)
    importing.import_entries(environment, ME)
    before = crontab.read()
    for task in tasks.listing(environment).tasks:
        done = record(environment, task, timeout_seconds=60, no_overlap=True)
        assert not done.failures
    inside = crontab.read()
    assert inside.count(b"pitasker-recorder --timeout 60 --no-overlap ") == 3
    assert os.access(recorder_copy.path(environment), os.X_OK)
    assert not service.preview(environment).plan.changes
    for task in tasks.listing(environment).tasks:
        tasks.change(environment, ME, task.id, record_runs=False)
    assert crontab.read() == before


def test_a_change_of_a_recorded_task_changes_the_command_that_is_recorded(environment, crontab):
    task = record(environment, create(environment)).tasks[0]
    tasks.change(environment, ME, task.id, command="echo 'new' > /tmp/$(date +\\%F)")
    assert b"'echo '\\''new'\\'' > /tmp/$(date +\\%F)' # PITASKER_ID:" in crontab.read()
    assert tasks.get(environment, task.id).command == "echo 'new' > /tmp/$(date +\\%F)"


def test_a_recorder_taken_out_by_hand_comes_back_as_not_recorded(environment, crontab):
    task = create(environment)
    plain = crontab.read()
    record(environment, task, timeout_seconds=60)
    crontab.write(plain)
    service.sync(environment, Request(ME, confirmed=True))
    changed = tasks.get(environment, task.id)
    assert (changed.record_runs, changed.timeout_seconds) == (False, 60)
    assert crontab.read() == plain


def test_a_limit_changed_by_hand_comes_back_as_the_tasks_limit(environment, crontab):
    task = record(environment, create(environment), timeout_seconds=60).tasks[0]
    crontab.write(crontab.read().replace(b"--timeout 60", b"--timeout 90 --no-overlap"))
    service.sync(environment, Request(ME))
    changed = tasks.get(environment, task.id)
    assert (changed.timeout_seconds, changed.no_overlap) == (90, True)


def test_a_change_here_and_of_the_limit_by_hand_is_a_conflict(environment, crontab):
    task = record(environment, create(environment), timeout_seconds=60).tasks[0]
    unwritable = replace(environment, crontab_program="/nonexistent")
    tasks.change(unwritable, ME, task.id, timeout_seconds=10)
    crontab.write(crontab.read().replace(b"--timeout 60", b"--timeout 90"))
    (conflict,) = service.preview(environment).plan.conflicts
    service.sync(environment, Request(ME, choices={conflict.tag: conflict.theirs}))
    assert tasks.get(environment, task.id).timeout_seconds == 90


def test_recorded_entries_are_imported_as_what_they_record(environment, crontab):
    """Repeating it wraps nothing twice, and duplicates no job."""
    task = record(environment, create(environment)).tasks[0]
    whole = crontab.read()
    crontab.write(whole.partition(b" # PITASKER_ID:")[0] + b"\n")
    tasks.delete(replace(environment, crontab_program="/nonexistent"), ME, task.id)
    importing.import_entries(environment, ME)
    (imported,) = tasks.listing(environment).tasks
    assert (imported.command, imported.record_runs) == (task.command, True)
    assert f"pitasker-recorder {imported.id} '".encode() in crontab.read()
    assert crontab.read().count(b"pitasker-recorder") == 1
    settled = crontab.read()
    assert importing.import_entries(environment, ME).imported == []
    assert crontab.read() == settled


def test_a_missing_recorder_is_found_and_a_sync_puts_it_back(environment, crontab):
    record(environment, create(environment))
    before = crontab.read()
    recorder_copy.path(environment).unlink()
    findings = validation.validate(service.preview(environment)).findings
    assert Discrepancy.MISSING_RECORDER in {finding.kind for finding in findings}
    service.sync(environment, Request(ME))
    assert recorder_copy.path(environment).exists()
    assert crontab.read() == before
    assert validation.validate(service.preview(environment)).is_valid


def test_an_entry_that_records_for_another_task_is_found_and_a_sync_mends_it(environment, crontab):
    record(environment, create(environment))
    before = crontab.read()
    crontab.write(before.replace(b"pitasker-recorder 1 ", b"pitasker-recorder 7 "))
    (finding,) = validation.validate(service.preview(environment)).findings
    assert finding.message == "Its runs are recorded for task 7, not 1."
    service.sync(environment, Request(ME))
    assert crontab.read() == before


def test_after_the_data_folder_has_moved_entries_get_the_recorder_that_is_there(
    environment, crontab, tmp_path
):
    record(environment, create(environment))
    environment.home.rename(tmp_path / "moved")
    moved = replace(environment, home=tmp_path / "moved")
    service.sync(moved, Request(ME))
    assert f"{tmp_path}/moved/pitasker-recorder".encode() in crontab.read()
    assert validation.validate(service.preview(moved)).is_valid


def test_too_long_a_command_is_refused_for_recording_and_stays_plain(environment, crontab):
    task = create(environment, command="x" * 940)
    before = crontab.read()
    with pytest.raises(InvalidSyntax, match="To record its runs: The command is too long"):
        record(environment, task)
    assert crontab.read() == before
    assert not tasks.get(environment, task.id).record_runs


def test_a_shell_that_cannot_start_the_recorder_is_refused(environment, crontab):
    crontab.write(b"SHELL=/usr/bin/python3\n")
    task = create(environment, command="print(1)")
    with pytest.raises(InvalidSyntax, match="cannot start the recorder"):
        record(environment, task)


@pytest.mark.parametrize("seconds", [0, -1, 10**9])
def test_a_time_limit_that_is_none_is_refused(environment, seconds):
    task = create(environment)
    with pytest.raises(InvalidSyntax, match="A time limit is 1 to"):
        tasks.change(environment, ME, task.id, timeout_seconds=seconds)


def test_a_disk_that_lets_no_program_start_is_refused_before_the_crontab_is_touched(
    environment, crontab
):
    task = create(environment)
    before = crontab.read()
    mounted = environment.home
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "noexec,mode=700", "none", str(mounted)], check=True
    )
    try:
        done = record(environment, task)
        assert "noexec" in done.failures[task.id]
        assert crontab.read() == before
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)


def test_detach_puts_every_plain_command_back(environment, crontab):
    task = create(environment, command="cat | tr a b%ab%c")
    crontab.write(crontab.read() + b"@daily /gone/pitasker-recorder 7 'echo '\\''x'\\'''\n")
    service.sync(environment, Request(ME))
    record(environment, task)
    assert detach(environment, ME) == 2
    assert b"pitasker-recorder" not in crontab.read()
    assert b"cat | tr a b # PITASKER_ID:" in crontab.read()
    assert crontab.read().endswith(b"@daily echo 'x'\n")
    assert not tasks.get(environment, task.id).record_runs
    assert detach(environment, ME) == 0


def test_detach_needs_no_database(environment, crontab):
    record(environment, create(environment))
    away = replace(environment, database_url="postgresql://nobody@127.0.0.1:9/none")
    assert detach(away, ME) == 1
    assert b"pitasker-recorder" not in crontab.read()


def test_an_entry_that_is_given_back_is_not_recorded_any_more(environment, crontab):
    crontab.write(EXISTING)
    importing.import_entries(environment, ME)
    listed = tasks.listing(environment).tasks
    for task in listed:
        record(environment, task)
    stop_managing(environment, ME, [task.id for task in listed])
    assert crontab.read() == EXISTING


def test_what_a_restored_snapshot_records_is_what_the_tasks_say(environment, crontab):
    task = record(environment, create(environment)).tasks[0]
    recorded_text = edit.snapshots(environment)[0]
    tasks.change(environment, ME, task.id, record_runs=False)
    edit.restore(environment, recorded_text.id, actor=ME)
    assert tasks.get(environment, task.id).record_runs


def test_the_recorder_in_place_is_the_one_of_this_version(environment):
    copy = recorder_copy.put_in_place(environment)
    original = Path(recorder.__file__)
    assert copy.read_bytes() == original.read_bytes()
    copy.write_text("an older one")
    recorder_copy.refresh(environment)
    assert copy.read_bytes() == original.read_bytes()
    shutil.rmtree(environment.home)
    recorder_copy.refresh(environment)
    assert not copy.exists()
