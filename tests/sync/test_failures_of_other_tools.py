"""PiTasker avoids failures by which other tools lost or corrupted crontabs."""

import os
import subprocess
from dataclasses import replace

import pytest
from sqlalchemy import text

from pitasker_core import database, tasks
from pitasker_core.base.errors import ExecutionError, NotFound, PiTaskerError
from pitasker_core.sync import edit, importing, service
from pitasker_core.sync.service import Request
from tests.helpers.examples import EXISTING, ME, create

ODD = b"""\
# a comment that is nobody's name

MAILTO="a@example.org"
 PATH = /usr/bin:/bin
'QUOTED NAME' = 'x y'
\t0\t2  *\t*  *   /bin/tabs  and   blanks
  @reboot   /bin/indented
@daily /bin/nickname
*/5 8-18 1,15 jan-mar mon-fri /bin/ranges
30 4 * * * echo caf\xe9
45 4 * * * cat%stdin with \\% and % more
# 0 9 * * * /bin/switched-off-by-hand
"""


def test_importing_and_saving_loses_nothing_there_is_no_field_for(environment, crontab):
    crontab.write(ODD)
    done = importing.import_entries(environment, ME)
    assert len(done.imported) == 5
    assert list(done.errors) == [10]  # PostgreSQL cannot store this as text
    assert "written again in UTF-8" in done.errors[10]
    task = create(environment)
    tasks.change(environment, ME, task.id, command="/bin/other")
    tasks.delete(environment, ME, task.id)
    text = crontab.read()
    for number in done.imported:
        tag = f" # PITASKER_ID:{tasks.get(environment, number).tag}".encode()
        assert text.count(tag) == 1
        text = text.replace(tag, b"")
    assert text == ODD


def test_editing_an_entry_never_touches_another_whatever_stands_between(environment, crontab):
    crontab.write(ODD)
    importing.import_entries(environment, ME)
    number = next(t.id for t in tasks.listing(environment).tasks if t.schedule == "@daily")
    before = crontab.read().split(b"\n")
    tasks.change(environment, ME, number, command="/bin/changed")
    after = crontab.read().split(b"\n")
    assert len(before) == len(after)
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        (before[7], before[7].replace(b"/bin/nickname", b"/bin/changed"))
    ]


def test_importing_and_syncing_settle_after_one_round(environment, crontab):
    crontab.write(ODD)
    importing.import_entries(environment, ME)
    settled = crontab.read()
    count = len(tasks.listing(environment).tasks)
    for _ in range(3):
        importing.import_entries(environment, ME)
        service.sync(environment, Request(ME))
    assert crontab.read() == settled
    assert len(tasks.listing(environment).tasks) == count


def test_one_task_that_cannot_be_written_does_not_block_the_others(environment, crontab):
    create(environment, "Good")
    bad = create(environment, "Bad", command="/bin/bad", system_managed=False)
    # Stored without checks, as an older version or a person in psql may do.

    with database.session(environment) as session:
        session.execute(
            text("update tasks set cron_schedule = '61 * * * *' where id = :id"), {"id": bad.id}
        )
    done = service.export(environment, ME, [bad.id])
    assert "minute must be 0 to 59" in done.failures[bad.id].lower()
    assert tasks.listing(environment).states[bad.id] is tasks.State.FAILED
    create(environment, "Another", command="/bin/another")
    assert b"/bin/another" in crontab.read()
    assert b"/bin/bad" not in crontab.read()


def test_a_broken_line_that_is_there_already_is_kept_and_named(environment, crontab):
    crontab.force(EXISTING + b"every day /bin/broken\n")
    done = importing.import_entries(
        environment, ME, [importing.Import(9, "every day /bin/broken\n")]
    )
    assert "not an entry" in done.errors[9]
    assert crontab.read() == EXISTING + b"every day /bin/broken\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (None, "sudo apt install cron"),
        ("You (pi) are not allowed to use this program (crontab)", "/etc/cron.deny"),
        ("crontab: fopen: Permission denied", "Permission denied"),
    ],
)
def test_a_crontab_that_cannot_be_used_is_an_error_that_says_what_to_do(
    environment, fake_crontab, script, words
):
    fake = "/nonexistent/crontab"
    if script:
        fake = str(fake_crontab(f"#!/bin/sh\necho '{script}' >&2\nexit 1\n"))
    with pytest.raises(PiTaskerError) as refused:
        service.sync(replace(environment, crontab_program=fake), Request(ME))
    assert words in refused.value.user_message


def test_a_program_that_may_not_be_executed_is_an_error(environment, tmp_path):
    file = tmp_path / "crontab"
    file.write_text("#!/bin/sh\n")
    with pytest.raises(PiTaskerError, match="cannot be run"):
        service.sync(replace(environment, crontab_program=str(file)), Request(ME))


@pytest.fixture
def small_disk():
    """Mount a small disk on a folder, until the test ends."""
    mounted = []

    def mount(folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        options = ["-t", "tmpfs", "-o", f"size={size},mode=1730"]
        subprocess.run(["mount", *options, "none", str(folder)], check=True)
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_at_home_leaves_the_crontab_and_says_so(environment, crontab, small_disk):
    crontab.write(EXISTING)
    create(environment)
    before = crontab.read()
    home = small_disk(environment.home, "64k")
    (home / "filler").write_bytes(b"x" * (64 * 1024 - 4096))
    (home / "backups").mkdir()
    done = tasks.create(environment, ME, tasks.NewTask("New", "0 1 * * *", "/bin/new"))
    assert isinstance(done.problem, ExecutionError)
    assert "space" in done.problem.user_message
    assert crontab.read() == before
    (home / "filler").unlink()
    service.sync(environment, Request(ME))
    assert b"/bin/new" in crontab.read()


def test_a_full_disk_under_the_crontab_leaves_the_old_one(environment, crontab, small_disk):
    spool = small_disk(crontab.folder, "16k")
    crontab.write(EXISTING)
    create(environment)
    before = crontab.read()
    filler = spool / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), b"x" * 4096)
        except OSError:
            pass
    done = tasks.create(environment, ME, tasks.NewTask("New", "0 1 * * *", "/bin/" + "n" * 900))
    assert done.problem is not None
    assert crontab.read() == before
    filler.unlink()
    service.sync(environment, Request(ME))
    assert b"/bin/nnn" in crontab.read()


def test_a_snapshot_that_does_not_exist_restores_nothing(environment, crontab):
    crontab.write(EXISTING)
    create(environment)
    before = crontab.read()
    with pytest.raises(NotFound):
        edit.restore(environment, 999_999, actor=ME)
    assert crontab.read() == before


def test_crontab_is_given_a_complete_file_and_never_a_pipe(environment, crontab, fake_crontab):
    choosy = '[ "$1" = - ] && { [ -f /dev/stdin ] || exit 9; }'
    other = fake_crontab(f'#!/bin/sh\n{choosy}\nexec "$REAL_CRONTAB" "$@"\n')
    create(replace(environment, crontab_program=str(other)))
    assert b"/home/pi/backup.sh" in crontab.read()


def test_a_crontab_of_thousands_of_entries_is_written_whole(environment, crontab):
    large = b"".join(b"0 1 * * * /bin/job-%d %s\n" % (n, b"x" * 40) for n in range(3000))
    crontab.write(large)
    create(environment)
    assert crontab.read().startswith(large)
    assert len(crontab.read()) > 128 * 1024


def test_killed_processes_leave_no_heap_of_files(environment, crontab):
    create(environment)
    for left in ("candidate", "backups/unfinished"):
        (environment.home / left).write_text("from a process that was killed")
    create(environment, "Another")
    assert {p.name for p in environment.home.iterdir()} <= {"lock", "backups", "postgres"}
    assert not (environment.backups / "unfinished").exists()
