"""Paths that an ordinary user may not reach are reported, and stop nothing."""

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.helpers import ordinary
from tests.helpers.isolation import SPOOL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen():
    """What the user `nobody` sees, with its own home and crontab."""
    user = ordinary.find("nobody")
    home = Path(tempfile.mkdtemp(prefix="pitasker-ordinary-", dir="/tmp"))
    os.chown(home, user.pw_uid, user.pw_gid)
    program = ordinary.PROJECT / "tests" / "helpers" / "ordinary_user.py"
    done = subprocess.run(
        ordinary.command(user, sys.executable, program),
        cwd=home,
        env=ordinary.environment(home, PITASKER_HOME=str(home / "pitasker")),
        capture_output=True,
        text=True,
        check=False,
    )
    (SPOOL / user.pw_name).unlink(missing_ok=True)
    shutil.rmtree(home)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_recorder_that_cannot_be_reached_takes_nothing_down(seen):
    assert (seen["status"]["crontabEntryCount"], seen["status"]["unmanagedCount"]) == (3, 2)
    kinds = [finding["kind"] for finding in seen["validate"]["discrepancies"]]
    assert kinds.count("missing_recorder") == 2


def test_a_program_that_cannot_be_reached_is_warned_of(seen):
    closed, long = (" ".join(warnings) for warnings in seen["advice"])
    assert "cannot be reached: Permission denied" in closed
    assert "cannot be reached: File name too long" in long
    assert seen["why"]


def test_run_now_starts_elsewhere_when_home_cannot_be_entered(seen):
    assert seen["run in an unreadable HOME"] == "/\n"
    assert seen["run without HOME"] == "/\n"


def test_an_empty_home_is_that_of_the_password_file(seen):
    home = Path(pwd.getpwnam("nobody").pw_dir)
    assert seen["home"] == str(home / ".local/share/pitasker")


def test_a_backup_to_where_none_can_be_written_is_refused_with_the_reason(seen):
    assert seen["backups"] == ["INVALID_SYNTAX", "EXECUTION_ERROR", "EXECUTION_ERROR"]


def test_a_closed_folder_of_backups_is_an_error_of_ours(seen):
    assert seen["closed backups"] == "EXECUTION_ERROR"


def test_a_file_that_cannot_be_read_is_not_called_no_backup(seen):
    assert seen["restores"] == 3 * ["EXECUTION_ERROR"]


def test_a_data_folder_that_cannot_be_reached_is_an_error_of_ours(seen):
    assert seen["unreadable data folder"] == "DATABASE_ERROR"
