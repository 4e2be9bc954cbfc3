"""The tests do not touch the files of the user who runs them."""

import os
import subprocess
from pathlib import Path

from pitasker_core.base.environment import Environment
from tests.helpers.crontabs import InstalledCrontab
from tests.helpers.isolation import MEMORY, SPOOL


def test_the_spool_of_the_tests_is_one_that_others_do_not_see() -> None:
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    *_, spool = [mount for mount in mounts if mount.split()[4] == str(SPOOL)]  # the top mount
    assert " - tmpfs " in spool
    assert "shared:" not in spool  # else it would appear in the outer namespace


def test_children_of_the_tests_see_the_private_spool_too(crontab: InstalledCrontab) -> None:
    crontab.write(b"# the tests' own\n")
    listed = subprocess.run(["crontab", "-l"], capture_output=True, check=True)
    assert listed.stdout == b"# the tests' own\n"


def test_home_and_database_are_not_those_of_whoever_runs_the_tests() -> None:
    environment = Environment.from_environment()
    assert environment.database_url is None
    assert environment.home.is_relative_to(os.environ["HOME"])
    assert Path(os.environ["HOME"]) == MEMORY / "home"
