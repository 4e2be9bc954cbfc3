"""PiTasker refuses a data folder that others can change, because it holds the sign-in secrets."""

import os
import subprocess

import pytest

from pitasker_core.base.errors import PermissionDenied
from tests.helpers import ordinary


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777, 0o1777])
def test_a_home_that_others_may_write_is_refused_with_the_command_to_run(
    cli, environment, mode, capsys
):
    environment.home.mkdir()
    environment.home.chmod(mode)
    assert cli("status") == 3
    assert f"`chmod go-w {environment.home}`" in capsys.readouterr().err
    assert list(environment.home.iterdir()) == []
    environment.home.chmod(0o700)
    environment.check_home()


def test_a_home_that_others_may_replace_is_refused(environment, tmp_path):
    environment.home.mkdir()
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionDenied, match=f"everybody may write to {tmp_path}"):
        environment.check_home()
    tmp_path.chmod(0o1777)  # as /tmp: others cannot rename files of this user
    environment.check_home()


def test_a_home_of_another_user_is_refused(environment):
    environment.home.mkdir()
    try:
        os.chown(environment.home, 12345, -1)
    except OSError:
        pytest.skip("this needs root")
    with pytest.raises(PermissionDenied, match="belongs to another user"):
        environment.check_home()


def test_a_home_that_is_not_there_yet_is_made_for_its_owner_alone(environment):
    environment.check_home()
    environment.make_home()
    assert environment.home.stat().st_mode & 0o777 == 0o700
    environment.check_home()


def test_another_user_of_the_machine_reads_nothing_of_the_home(victim):
    assert (victim.environment.home / "auth.json").is_file()
    find = ("find", victim.environment.home, "-readable", "-o", "-writable", "-o", "-mindepth", "1")
    command = ordinary.command(ordinary.find("nobody"), *find)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    assert "Permission denied" in done.stderr
