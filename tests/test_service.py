"""PiTasker as a service, and everything in one file."""

import io
import os
import shutil
import stat
import subprocess
import tarfile
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from test_scenarios import EXISTING, ME, create

from pitasker_core import archive, background, database, tasks, tokens, unit
from pitasker_core.auth import Role
from pitasker_core.database import embedded
from pitasker_core.errors import ExecutionError, InvalidSyntax, NotFound
from pitasker_core.sync import adopt, service
from pitasker_core.sync.service import Request


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze on this machine")
    file = tmp_path / unit.NAME
    file.write_text(unit.text(["--port", "8501", "--base-url", "https://pi.example/100%$x"]))
    done = subprocess.run(
        [analyze, "--user", "verify", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert unit.NAME not in done.stderr


def test_an_argument_reaches_the_command_as_it_is():
    text = unit.text(["--base-url", 'a b"c\\d%h$HOME'])
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    assert line.endswith(' up --base-url "a b\\"c\\\\d%%h$$HOME"')


def test_the_unit_takes_nothing_from_crontab():
    directives = [line for line in unit.text([]).splitlines() if not line.startswith("#")]
    for forbidden in ("NoNewPrivileges", "SystemCallFilter", "PrivateUsers", "PrivateTmp"):
        assert not any(line.startswith(forbidden) for line in directives)


def test_without_systemd_the_service_says_so(monkeypatch):
    monkeypatch.setattr(unit.shutil, "which", lambda name: None)
    with pytest.raises(NotFound, match="not run by systemd"):
        unit.state()


# --- Everything in one file ------------------------------------------------------------------


def test_a_backup_brings_the_tasks_and_the_crontab_back(settings, crontab, tmp_path):
    crontab.write(EXISTING)
    adopt.adopt(settings, ME)
    create(settings, "Other")
    tasks_then, crontab_then = tasks.listing(settings).tasks, crontab.read()
    file = tmp_path / "backup.tar.gz"
    archive.back_up(settings, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    tasks.delete(settings, ME, *(task.id for task in tasks_then))
    crontab.write(b"# something else\n")
    kept = archive.restore(settings, ME, archive.read(file))
    assert crontab.read() == crontab_then
    assert [t.name for t in tasks.listing(settings).tasks] == [t.name for t in tasks_then]
    service.sync(settings, Request(ME))
    assert crontab.read() == crontab_then
    assert archive.read(kept).crontab == "# something else\n"


def test_a_restore_opens_no_token_that_was_revoked(settings, crontab, tmp_path):
    revoked = tokens.create(settings, ME, "old", Role.WRITE)
    file = tmp_path / "backup.tar.gz"
    archive.back_up(settings, file)
    tokens.revoke(settings, ME, tokens.listing(settings)[0].id)
    present = tokens.create(settings, ME, "new", Role.READ)
    archive.restore(settings, ME, archive.read(file))
    assert tokens.role_of(settings, revoked) is None
    assert tokens.role_of(settings, present) is Role.READ


def test_a_backup_of_an_older_version_is_restored_and_brought_up_to_date(
    settings, crontab, empty_database_url, tmp_path
):
    old = replace(settings, database_url=empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    engine = create_engine(empty_database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text("insert into tasks (name, cron_schedule, command) values ('Old', '@daily', 'x')")
        )
    engine.dispose()
    file = tmp_path / "backup.tar.gz"
    archive.back_up(old, file)
    create(settings)
    archive.restore(settings, ME, archive.read(file))
    assert [task.name for task in tasks.listing(settings).tasks] == ["Old"]
    assert background.job_states(settings) == {}


def test_a_backup_of_a_newer_version_is_refused_before_anything_is_done(
    settings, crontab, tmp_path, monkeypatch
):
    file = tmp_path / "backup.tar.gz"
    with monkeypatch.context() as newer:
        newer.setattr(database, "newest_revision", lambda: "9999")
        archive.back_up(replace(settings), file)
    with pytest.raises(InvalidSyntax, match="newer PiTasker"):
        archive.read(file)


def test_a_crontab_that_cron_would_not_take_is_refused_before_anything_is_done(
    settings, crontab, tmp_path
):
    create(settings)
    file = tmp_path / "backup.tar.gz"
    archive.back_up(settings, file)
    create(settings, "Later")
    odd = replace(archive.read(file), crontab="61 * * * * x\n")
    with pytest.raises(InvalidSyntax, match="minute must be"):
        archive.restore(settings, ME, odd)
    assert len(tasks.listing(settings).tasks) == 2


@pytest.mark.slow
def test_the_private_database_is_backed_up_and_restored(settings, crontab, tmp_path):
    private = replace(settings, database_url=None)
    try:
        create(private)
        file = tmp_path / "backup.tar.gz"
        archive.back_up(private, file)
        create(private, "Later")
        archive.restore(private, ME, archive.read(file))
        assert [task.name for task in tasks.listing(private).tasks] == ["Backup"]
    finally:
        embedded.stop(embedded.ensure_running(private.postgres))


def test_a_dump_that_fails_leaves_everything_as_it_was(settings, crontab, tmp_path):
    create(settings)
    before = crontab.read()
    file = tmp_path / "backup.tar.gz"
    archive.back_up(settings, file)
    broken = replace(archive.read(file), dump=b"drop table tasks cascade; select nonsense;")
    with pytest.raises(ExecutionError, match="psql failed"):
        archive.restore(settings, ME, broken)
    assert crontab.read() == before
    assert [task.name for task in tasks.listing(settings).tasks] == ["Backup"]


def packed(description, *, damaged=False):
    """An archive with that for its description; damaged, as by a bad disk."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as one:
        member = tarfile.TarInfo("pitasker.json")
        member.size = len(description)
        one.addfile(member, io.BytesIO(description))
    data = made.getvalue()
    return data[:20] + bytes(255 - byte for byte in data[20:40]) + data[40:] if damaged else data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        b"\x1f\x8b\x08\x00",
        packed(b"[]"),
        packed(b'{"format": 1, "madeAt": 5}'),
        packed(b"{}", damaged=True),
    ],
)
def test_a_file_that_is_no_backup_is_refused(tmp_path, content):
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(InvalidSyntax, match="no backup of PiTasker's"):
        archive.read(file)
    with pytest.raises(NotFound):
        archive.read(tmp_path / "none")


def test_a_restore_asks_first(cli, settings, crontab, tmp_path, capsys):
    create(settings)
    file = tmp_path / "backup.tar.gz"
    assert cli("backup", str(file)) == 0
    create(settings, "Later")
    assert cli("restore", str(file)) == 3
    assert "--yes" in capsys.readouterr().err
    assert len(tasks.listing(settings).tasks) == 2
    assert cli("restore", str(file), "--yes") == 0
    assert len(tasks.listing(settings).tasks) == 1
