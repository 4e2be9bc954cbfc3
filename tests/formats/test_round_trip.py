"""An import of an export restores the tasks, in each format."""

import csv
import io
import json
from contextlib import suppress

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pitasker_core.base.errors import ParseError
from pitasker_core.formats.record import LARGEST_FILE, MOST_RECORDS, TaskFile, TaskRecord
from pitasker_core.formats.registry import Source, Target, read_tasks, write_tasks
from tests.helpers.task_records import records

BOTH_WAYS = [Source.JSON, Source.YAML, Source.CSV, Source.CRONTAB]
BACKUP = TaskRecord("Backup", "0 2 * * *", "/bin/backup")


def read(text, source):
    return read_tasks(text.encode(), source)


@pytest.mark.slow
@pytest.mark.parametrize("source", BOTH_WAYS)
@given(st.lists(records, max_size=4).map(tuple))
@example((TaskRecord("---", "@daily", "/bin/x", paused=True, labels=("a;b", "\\")),))
@example((TaskRecord("x", "@daily", "/bin/x", notes="a\x85b\u2028c\u2029\r\n d"),))
@example((TaskRecord('pitasker: {"paused": true}', "@daily", "/bin/x"),))
def test_an_export_reads_back_as_what_it_was_made_of(source, tasks):
    text, notes = write_tasks(tasks, Target(source))
    file = read(text, source)
    left_out = [task for task in tasks if task not in file.records]
    assert file.records == tuple(task for task in tasks if task not in left_out)
    assert [note.name for note in notes] == [task.name for task in left_out]
    assert (file.problems, file.notes) == ((), ())
    # cron reads `@daily =x` as an environment line.
    assert source is Source.CRONTAB or not left_out
    assert all(task.schedule[0] == "@" and task.command[0] == "=" for task in left_out)


@given(st.lists(records, max_size=4).map(tuple))
def test_no_cell_of_a_csv_file_is_a_formula(tasks):
    text, _ = write_tasks(tasks, Target.CSV)
    for row in csv.reader(io.StringIO(text, newline="")):
        assert not [cell for cell in row if cell[:1] in tuple("=+-@\t\r＝＋－＠")]


@pytest.mark.slow
@given(st.lists(records, max_size=3).map(tuple))
def test_other_readers_of_json_and_yaml_read_the_same_data(tasks):
    from_json = json.loads(write_tasks(tasks, Target.JSON)[0])
    assert yaml.safe_load(write_tasks(tasks, Target.YAML)[0]) == from_json
    assert [task["name"] for task in from_json["tasks"]] == [task.name for task in tasks]


def test_entries_of_one_program_in_a_crontab_get_names_that_tell_them_apart():
    file = read("0 1 * * * read.py bath\n0 2 * * * read.py hall\n", Source.CRONTAB)
    assert [task.name for task in file.records] == ["read.py bath", "read.py hall"]


@given(st.binary(max_size=200), st.sampled_from(Source))
def test_any_bytes_are_read_or_refused_with_a_reason(data, source):
    with suppress(ParseError):
        assert isinstance(read_tasks(data, source), TaskFile)


@given(st.text(max_size=200), st.sampled_from(Source))
def test_any_text_is_read_or_refused_with_a_reason(text, source):
    with suppress(ParseError):
        assert isinstance(read_tasks(text.encode(), source), TaskFile)


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=5), st.none() | st.text(max_size=5) | st.integers()))
def test_any_json_document_is_refused_with_its_line(data):
    with pytest.raises(ParseError, match="Line 1: "):
        read(json.dumps(data), Source.JSON)


# --- Lines ---------------------------------------------------------------------------------------


HEAD = "format: pitasker-tasks\nversion: 1\ntasks:\n"


@pytest.mark.parametrize(
    ("source", "text", "message"),
    [
        (Source.JSON, '{\n"format": "pitasker-tasks",\n"version": 1,\n"tasks": [}', "Line 4: "),
        (Source.JSON, '{\n"format": 1,\n"format": 2}', "Line 3: the key 'format' stands twice"),
        (Source.JSON, '{"format": "pitasker-tasks",\n"version": 2, "tasks": []}', "Line 2: .*vers"),
        (Source.JSON, '{"format": "other",\n"version": 1, "tasks": []}', "Line 1: .*other"),
        (Source.JSON, '{"version": 1,\n "tasks": [NaN]}', "Line 2: "),
        (Source.JSON, "[" * 5000, "nested too deeply"),
        (Source.JSON, "[" + "9" * 5000 + "]", "number cannot be read"),
        (Source.JSON, "[" + ",".join([f"[{'0,' * 1999}0]"] * 60) + "]", "more than 100,000 values"),
        (Source.JSON, "{} {}", "more text behind the end"),
        (Source.YAML, "a: &x 1\nb: *x", "Line 1: anchors and aliases are not read"),
        (Source.YAML, "a: 1\nb: !!python/object:os.system 1", "Line 2: tags are not read"),
        (Source.YAML, "a: 1\na: 2", "Line 2: the key 'a' stands twice"),
        (Source.YAML, HEAD + "- name: x\n  cronSchedule: @daily\n", "Line 5: .*cannot start"),
        (Source.YAML, "- " * 5000 + "x", "nested too deeply"),
        (Source.YAML, f"- [{'0,' * 1999}0]\n" * 120, "more than 100,000 values"),
        (Source.YAML, "a: 1\n---\nb: 2\n", "Line 2: there is a second document"),
        (Source.YAML, "", "The file is empty"),
        (Source.CSV, "name,what\n", "Line 1: there is no column 'what'"),
        (Source.CSV, "name,name,cronSchedule,command\n", "Line 1: .*stands twice"),
        (Source.CSV, "name,command\n", "Line 1: the column cronSchedule is missing"),
        (Source.CSV, 'name,cronSchedule,command\n"a"b,c,d\n', "Line 2: "),
        (Source.CRONTAB_UI, '{"_id":"a"}\n[]', "Line 2: there is no job"),
        (Source.CRONTAB_UI, '{"name":"a"}', "Line 1: there is no _id"),
        (Source.CRONTAB_UI, '{"_id":"a"}\n{"_id":', "Line 2: "),
        (Source.CRONMASTER, '{"id": "a",\n"shell": 1}', "Line 2: .*no key 'shell'"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(source, text, message):
    with pytest.raises(ParseError, match=message):
        read(text, source)


@pytest.mark.parametrize(
    ("source", "text", "remark"),
    [
        (Source.YAML, HEAD + "- name: x\n  cronSchedule: '@daily'\n", "Line 4: “x”: command is mi"),
        (Source.YAML, HEAD + "- name: x\n  comand: y\n", "Line 5: “x”: a task has no key 'comand'"),
        (Source.YAML, HEAD + "- name: x\n  paused: yes\n  cronSchedule: a\n  command: b",
         "Line 5: “x”: paused must be true or false."),
        (Source.YAML, HEAD + "- 5\n", "Line 4: a task must be a mapping"),
        (Source.CSV, 'name,cronSchedule,command\n"a\nb",@daily\n', "Line 2: there are 2 cells"),
        (Source.CSV, "name,cronSchedule,command,timeoutSeconds\na,b,c,soon\n",
         "Line 2: timeoutSeconds must be a whole number."),
        (Source.CRONTAB, "# c\n60 * * * * x\n", "Line 2: minute must be 0 to 59"),
        (Source.CRONTAB, '# Name\n# pitasker: {"paused": 1}\n@daily x\n',
         "Line 2: paused must be true or false."),
        (Source.CRONTAB_UI, '{"_id":"a","name":"n","schedule":"@daily"}', "Line 1: command is mis"),
        (Source.CRONMASTER, "# PAUSED: x | id: aaaa-bbbb\n", "Line 1: there is no job below"),
    ],
)  # fmt: skip
def test_a_task_that_cannot_be_read_fails_alone_with_its_line(source, text, remark):
    file = read(text, source)
    assert [str(problem)[: len(remark)] for problem in file.problems] == [remark]


def test_the_others_of_a_file_are_read_when_one_cannot_be():
    text = HEAD + "- name: x\n- name: Backup\n  cronSchedule: 0 2 * * *\n  command: /bin/backup\n"
    file = read(text, Source.YAML)
    assert (file.records, len(file.problems), file.records[0].line) == ((BACKUP,), 1, 5)


# --- Limits --------------------------------------------------------------------------------------


def test_a_large_file_is_refused_before_it_is_read():
    with pytest.raises(ParseError, match="bytes"):
        read_tasks(b" " * (LARGEST_FILE + 1), Source.JSON)


@pytest.mark.parametrize("source", BOTH_WAYS)
def test_too_many_tasks_are_refused(source):
    many = (BACKUP,) * (MOST_RECORDS + 1)
    with pytest.raises(ParseError, match="more than 1,000 tasks"):
        read(write_tasks(many, Target(source))[0], source)


def test_bytes_that_are_not_utf_8_are_refused_with_their_line():
    with pytest.raises(ParseError, match="Line 2 of the file is not UTF-8"):
        read_tasks(b"# x\n# \xff", Source.CRONTAB)


# --- What people write ---------------------------------------------------------------------------


def test_unquoted_texts_of_yaml_stay_texts():
    text = HEAD + "- name: no\n  cronSchedule: 0 2 * * *\n  command: 1e3\n  labels: [08:30, null]\n"
    record = read(text, Source.YAML).records[0]
    assert (record.name, record.command, record.labels) == ("no", "1e3", ("08:30", "null"))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_is_read_with_the_separator_that_a_spreadsheet_chose(separator):
    rows = [("name", "cronSchedule", "command"), ("Backup", "0 2 * * *", "/bin/backup")]
    text = "\ufeff" + "".join(separator.join(row) + "\r\n" for row in rows)
    assert read(text, Source.CSV).records == (BACKUP,)


def test_a_command_in_apostrophes_keeps_them():
    text = "name,cronSchedule,command\nx,@daily,'/opt/my job' now\n"
    assert read(text, Source.CSV).records[0].command == "'/opt/my job' now"


def test_a_crontab_gives_plain_commands_and_says_what_it_leaves_out():
    text = (
        "PATH=/usr/bin\n# Backup\n0 2 * * * /home/pi/.local/share/pitasker/pitasker-recorder "
        "--timeout 60 7 '/bin/backup' # PITASKER_ID:7c0e0f3e-0000-4000-8000-000000000000\n"
    )
    file = read(text, Source.CRONTAB)
    expected = TaskRecord(
        "Backup", "0 2 * * *", "/bin/backup", record_runs=True, timeout_seconds=60
    )
    assert file.records == (expected,)
    assert [str(note) for note in file.notes] == [
        "Line 1: The environment line PATH is not taken over."
    ]


def test_a_comment_that_looks_like_a_job_is_none():
    assert read("# Old\n# 0 2 * * * /bin/backup\n", Source.CRONTAB).records == ()


def test_a_crontab_is_one_that_cron_takes(crontab):
    tasks = (BACKUP, TaskRecord("Off", "@daily", "/bin/x", paused=True), BACKUP)
    crontab.write(write_tasks(tasks, Target.CRONTAB)[0].encode())
    assert crontab.read().count(b"\n0 2 * * * /bin/backup\n") == 2
