"""Tasks as files: an export of one machine can be imported on another."""

import io
import zipfile
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from icalendar import Calendar

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import NotFound
from pitasker_core.base.identity import Identity
from pitasker_core.formats.record import TaskRecord
from pitasker_core.formats.registry import Target
from pitasker_core.tasks.file_export import export_file, export_units, record_of
from pitasker_core.tasks.file_import import import_file, read_files
from tests.tasks.test_file_import import BACKUP, ME, RICH, bring


@pytest.mark.parametrize("target", [Target.JSON, Target.YAML, Target.CSV, Target.CRONTAB])
def test_what_is_exported_is_imported_elsewhere(target, environment, crontab, tmp_path):
    bring(environment, BACKUP, RICH)
    exported = export_file(environment, target)
    crontab.remove()
    other = replace(
        environment, home=tmp_path / "other", given_identity=Identity("b", "b", "2" * 36)
    )
    file = read_files(other, [(exported.name, exported.data)])
    done = import_file(other, ME, file)
    assert [record_of(task) for task in done.tasks] == [BACKUP, RICH]
    assert (done.skipped, done.errors, done.notes, exported.notes) == ((), (), (), ())


def test_each_value_that_a_new_task_has_is_in_a_file():
    left_behind = {
        "id", "paused_until", "source", "status", "last_run", "sync_error", "tag",
        "synced_at", "created_at", "updated_at", "definition_changed_at", "deleted_at", "version",
    }  # fmt: skip
    of_a_task = {field.name for field in fields(tasks.Task)} - left_behind
    of_a_file = {field.name for field in fields(TaskRecord)} - {"line"}
    assert of_a_task == of_a_file


def test_single_tasks_are_exported_and_one_that_is_not_there_is_refused(environment):
    first = bring(environment, BACKUP, RICH).tasks[0]
    exported = export_file(environment, Target.JSON, [first.id])
    file = read_files(environment, [(exported.name, exported.data)])
    assert file.records == (BACKUP,)
    with pytest.raises(NotFound):
        export_file(environment, Target.JSON, [first.id + 100])


def test_the_end_of_a_pause_is_named_as_left_behind(environment):
    [task] = bring(environment, BACKUP).tasks
    until = clock.now() + timedelta(hours=1)
    tasks.change(environment, ME, task.id, paused=True, paused_until=until)
    assert [str(note) for note in export_file(environment, Target.YAML).notes] == [
        "“Backup”: The end of its pause is not carried over."
    ]


def test_units_know_the_environment_of_their_entry(environment, crontab):
    crontab.write(b"PATH=/opt/bin:/usr/bin\nMAILTO=me\n")
    bring(environment, BACKUP)
    units = export_units(environment)
    assert 'Environment="PATH=/opt/bin:/usr/bin"' in units.files[0].text
    assert "MAILTO is not taken over: systemd sends no mail." in [n.message for n in units.notes]


def test_units_are_one_archive_with_their_notes_and_the_same_bytes_each_time(environment):
    bring(environment, BACKUP)
    exported = export_file(environment, Target.SYSTEMD)
    with zipfile.ZipFile(io.BytesIO(exported.data)) as archive:
        assert archive.namelist() == [
            "pitasker-backup.service",
            "pitasker-backup.timer",
            "NOTES.txt",
        ]
    assert exported == export_file(environment, Target.SYSTEMD)


def test_a_calendar_has_the_runs_of_the_next_weeks(environment):
    bring(environment, BACKUP, RICH)
    exported = export_file(environment, Target.ICAL, weeks=1)
    events = Calendar.from_ical(exported.data).walk("VEVENT")
    assert {str(event["summary"]) for event in events} == {"Backup"}
    assert len(events) == 7
    assert [str(note) for note in exported.notes] == [
        "“Report”: It is left out: cron does not run it now."
    ]
    assert b"/bin/backup" not in exported.data
