"""Tasks made of files: one report, one sync, and an invalid task fails alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from pitasker_core import database, tasks
from pitasker_core.base.errors import InvalidSyntax, ParseError, ReadOnly
from pitasker_core.database.tables import OperationRow
from pitasker_core.formats.record import TaskFile, TaskRecord
from pitasker_core.formats.registry import Source
from pitasker_core.tasks.file_export import record_of
from pitasker_core.tasks.file_import import Verdict, import_file, preview_file, read_files

PEERS = Path(__file__).parent.parent / "formats" / "peers"
ME = "test"
BACKUP = TaskRecord("Backup", "0 2 * * *", "/bin/backup")
RICH = TaskRecord(
    "Report",
    "30 7 * * 1-5",
    r"report --day=\%F",
    paused=True,
    notes="Two\nlines",
    labels=("a", "b"),
    record_runs=True,
    timeout_seconds=60,
    no_overlap=True,
    catch_up=True,
    ping_url="https://hc-ping.com/1",
    notify=("failed",),
)


def file(*records):
    return TaskFile(tuple(records))


def bring(environment, *records, **options):
    return import_file(environment, ME, file(*records), **options)


def test_every_value_of_a_file_is_that_of_its_task(environment):
    done = bring(environment, BACKUP, RICH)
    assert [record_of(task) for task in done.tasks] == [BACKUP, RICH]
    assert [record_of(task) for task in tasks.listing(environment).tasks] == [BACKUP, RICH]


def test_the_entries_of_all_tasks_are_written_by_one_sync(environment, crontab):
    crontab.write(b"# mine\n")
    done = bring(environment, BACKUP, RICH)
    text = crontab.read().decode()
    assert text.startswith("# mine\n# Backup\n0 2 * * * /bin/backup # PITASKER_ID:")
    assert "# Report\n# 30 7 * * 1-5 " in text
    with database.session(environment) as session:
        kinds = [row.kind for row in session.query(OperationRow).all()]
    assert kinds == ["import"]
    assert done.problem is None


def test_a_task_that_is_wrong_fails_alone_with_its_reason(environment, crontab):
    wrong = [
        TaskRecord("", "@daily", "/bin/x", line=2),
        TaskRecord("x", "60 * * * *", "/bin/x", line=3),
        TaskRecord("x", "*/10 * * * * *", "/bin/x", line=4),
        TaskRecord("x", "0 0 31 2 *", "/bin/x", line=5),
        TaskRecord("x", "@daily", "a\nb", line=6),
        TaskRecord("x", "@daily", "x" * 1000, line=7),
        TaskRecord("x", "@daily", "/bin/x", labels=("",), line=8),
        TaskRecord("x", "@daily", "/bin/x", ping_url="ftp://x", line=9),
        TaskRecord("x", "@daily", "/bin/x", notify=("shout",), line=10),
        TaskRecord("x", "@daily", "/bin/x", timeout_seconds=0, line=11),
        TaskRecord("x", "@daily", "x" * 900, record_runs=True, line=12),
        TaskRecord("x\ny", "@daily", "/bin/x", line=13),
    ]
    done = bring(environment, *wrong, BACKUP)
    assert [error.line for error in done.errors] == list(range(2, 14))
    assert all(error.message for error in done.errors)
    assert [task.name for task in done.tasks] == ["Backup"]
    assert crontab.read().count(b"PITASKER_ID") == 1


def test_a_preview_says_what_an_import_does_and_changes_nothing(environment, crontab):
    records = [BACKUP, BACKUP, TaskRecord("x", "60 * * * *", "/bin/x")]
    verdicts = [c.verdict for c in preview_file(environment, file(*records)).candidates]
    assert verdicts == [Verdict.NEW, Verdict.DUPLICATE, Verdict.INVALID]
    assert (tasks.listing(environment).tasks, crontab.read()) == ([], None)
    done = bring(environment, *records)
    assert (len(done.tasks), len(done.skipped), len(done.errors)) == (1, 1, 1)


def test_a_second_import_of_a_file_makes_nothing(environment):
    bring(environment, BACKUP, RICH)
    done = bring(environment, BACKUP, RICH)
    assert (done.tasks, len(done.skipped), done.applied) == ((), 2, None)


def test_duplicates_are_made_where_that_is_meant(environment):
    bring(environment, BACKUP)
    assert len(bring(environment, BACKUP, with_duplicates=True).tasks) == 1


def test_an_entry_that_is_in_the_crontab_already_would_run_twice(environment, crontab):
    crontab.write(b"0 2 * * * /bin/backup\n")
    [candidate] = preview_file(environment, file(BACKUP)).candidates
    assert candidate.verdict is Verdict.DUPLICATE
    assert "./pitasker import" in candidate.reason


def test_a_file_can_be_imported_without_entries(environment, crontab):
    done = bring(environment, BACKUP, system_managed=False)
    assert (done.tasks[0].system_managed, crontab.read()) == (False, None)


def test_a_database_only_task_of_a_file_stays_one(environment, crontab):
    bring(environment, TaskRecord("x", "@daily", "/bin/x", system_managed=False))
    assert crontab.read() is None


def test_without_a_crontab_program_the_tasks_are_saved_and_pending(environment, fake_crontab):
    broken = replace(environment, crontab_program=str(fake_crontab("#!/bin/sh\nexit 1\n")))
    done = bring(broken, BACKUP)
    assert done.problem is not None
    assert [task.name for task in tasks.listing(environment).tasks] == ["Backup"]


def test_who_may_only_look_imports_nothing(environment):
    tasks.listing(environment)
    with pytest.raises(ReadOnly):
        bring(replace(environment, read_only=True), BACKUP)


@pytest.mark.parametrize(
    ("name", "source", "names"),
    [
        ("crontab-ui.db", None, ["Nightly backup", "Report", "find /tmp/cache", "Überwachung"]),
        ("cronmaster.crontab", Source.CRONMASTER, 5),
        ("3f7a-91bc.job", None, ["Nightly backup"]),
    ],
)
def test_the_tasks_of_other_programs_are_imported(environment, crontab, name, source, names):
    file = read_files(environment, [(name, (PEERS / name).read_bytes())], source)
    done = import_file(environment, ME, file)
    listed = [task.name for task in tasks.listing(environment).tasks]
    assert len(listed) == names if isinstance(names, int) else listed == names
    assert crontab.read().count(b"PITASKER_ID") == len(listed)
    assert len(done.errors) == (name == "crontab-ui.db")  # the job with seconds


def test_several_files_are_one_import(environment):
    data = (PEERS / "3f7a-91bc.job").read_bytes()
    other = data.replace(b"Nightly", b"Weekly").replace(b"0 2 * * *", b"@weekly")
    file = read_files(environment, [("a.job", data), ("b.job", other)])
    assert [record.name for record in file.records] == ["Nightly backup", "Weekly backup"]


def test_a_file_without_a_known_ending_needs_its_format(environment):
    with pytest.raises(InvalidSyntax, match="does not say what it holds"):
        read_files(environment, [("tasks", b"")])
    with pytest.raises(ParseError):
        read_files(environment, [("tasks", b"")], Source.JSON)


def test_an_import_is_taken_back_as_a_whole(environment, crontab):
    crontab.write(b"# mine\n")
    done = bring(environment, BACKUP, RICH)
    tasks.undo(environment, ME, done.applied)
    assert (tasks.listing(environment).tasks, crontab.read()) == ([], b"# mine\n")


def test_tasks_are_created_together_or_not_at_all(environment, crontab):
    new = [tasks.NewTask("a", "@daily", "/bin/a"), tasks.NewTask("b", "60 * * * *", "/bin/b")]
    with pytest.raises(InvalidSyntax):
        tasks.create_all(environment, ME, new)
    assert (tasks.listing(environment).tasks, crontab.read()) == ([], None)
