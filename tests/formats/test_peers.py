"""Files of other programs. peers/README.md describes their origin."""

from pathlib import Path

import pytest

from pitasker_core.base.errors import ParseError
from pitasker_core.formats.crontab_ui import read_environment
from pitasker_core.formats.record import TaskRecord
from pitasker_core.formats.registry import Source, read_tasks, source_of

PEERS = Path(__file__).parent / "peers"


def read(name, source):
    return read_tasks((PEERS / name).read_bytes(), source)


def test_the_jobs_of_crontab_ui_are_read_as_they_were_last():
    file = read("crontab-ui.db", Source.CRONTAB_UI)
    assert file.problems == ()
    assert file.records == (
        TaskRecord("Nightly backup", "15 2 * * *", "/home/pi/backup.sh /mnt/usb", record_runs=True),
        TaskRecord("find /tmp/cache", "@weekly", "find /tmp/cache -mtime +7 -delete"),
        TaskRecord(
            "Report",
            "30 7 * * 1-5",
            r'echo "50\% full" | mail -s "Disk" me@example.org',
            record_runs=True,
        ),
        TaskRecord("Seconds", "*/10 * * * * *", "/bin/every-ten-seconds"),
        TaskRecord("Überwachung", "*/15 * * * *", "/opt/prüfen --alle", paused=True),
    )


def test_the_mail_of_crontab_ui_is_named_without_its_password():
    notes = read("crontab-ui.db", Source.CRONTAB_UI).notes
    assert [(note.line, note.name) for note in notes] == [(3, "Report")]
    assert "mail after each run" in notes[0].message
    assert "secret" not in str(notes)


def test_the_environment_of_crontab_ui_is_named():
    notes = read_environment((PEERS / "env.db").read_text())
    assert [note.message for note in notes] == [
        "The environment line PATH of env.db is not taken over.",
        "The environment line MAILTO of env.db is not taken over.",
    ]


def test_the_database_lines_of_nedb_are_no_jobs():
    text = b'{"$$indexCreated":{"fieldName":"name","unique":false,"sparse":false}}\n'
    assert read_tasks(text, Source.CRONTAB_UI).records == ()


def test_a_removed_job_of_crontab_ui_that_came_again_is_read():
    job = b'{"name":"a","command":"/bin/a","schedule":"@daily","_id":"1"}\n'
    file = read_tasks(job + b'{"$$deleted":true,"_id":"1"}\n' + job, Source.CRONTAB_UI)
    assert file.records == (TaskRecord("a", "@daily", "/bin/a"),)


def test_the_jobs_of_cronmasters_crontab_are_read():
    file = read("cronmaster.crontab", Source.CRONMASTER)
    assert file.problems == ()
    assert file.records == (
        TaskRecord(
            "Nightly backup", "0 2 * * *", "/home/pi/backup.sh --to /mnt/usb", record_runs=True
        ),
        TaskRecord(
            "Report, weekdays",
            "30 7 * * 1-5",
            r'/home/pi/report.sh | mail -s "Disk \% used" me@example.org',
            paused=True,
        ),
        TaskRecord("find /tmp/cache", "@weekly", "find /tmp/cache -mtime +7 -delete"),
        TaskRecord("At boot", "@reboot", "/home/pi/start.sh", paused=True, record_runs=True),
        TaskRecord(
            "A comment of a person, above a job that Cronmaster has not read yet",
            "*/15 * * * *",
            "/opt/check",
        ),
    )


def test_the_users_and_settings_of_cronmasters_crontab_are_named():
    notes = [str(note) for note in read("cronmaster.crontab", Source.CRONMASTER).notes]
    assert notes == [
        "Line 1: The environment line MAILTO is not taken over.",
        "Line 3: This is of the user pi; a task here runs as you.",
    ]


def test_a_backup_of_cronmaster_is_read():
    file = read("3f7a-91bc.job", Source.CRONMASTER)
    assert file.records == (
        TaskRecord(
            "Nightly backup", "0 2 * * *", "/home/pi/backup.sh --to /mnt/usb", record_runs=True
        ),
    )
    assert [str(note) for note in file.notes] == [
        "Line 6: “Nightly backup”: This is of the user pi; a task here runs as you."
    ]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("crontab.db", Source.CRONTAB_UI),
        ("3f7a-91bc.job", Source.CRONMASTER),
        ("tasks.YML", Source.YAML),
        ("my.tasks.csv", Source.CSV),
        ("pi.crontab", Source.CRONTAB),
    ],
)
def test_a_files_name_says_its_format(name, source):
    assert source_of(name) is source


@pytest.mark.parametrize("name", ["crontab-ui.db", "3f7a-91bc.job"])
def test_a_file_of_another_program_is_no_task_file(name):
    with pytest.raises(ParseError):
        read(name, Source.JSON)
