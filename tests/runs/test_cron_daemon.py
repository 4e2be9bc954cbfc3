"""Detecting whether the cron that reads this machine's spool is running."""

import os
import subprocess

import pytest

from pitasker_core.base import cron_daemon


class Proc:
    """Make a fake /proc, in which this process has the mount namespace `ours`."""

    def __init__(self, path):
        self.path = path
        self.add("self", "python3")
        self.add(12, "sshd")

    def add(self, number, name, state="S (sleeping)", pids=None, mounts="ours"):
        folder = self.path / str(number)
        (folder / "ns").mkdir(parents=True)
        (folder / "comm").write_text(f"{name}\n")
        (folder / "status").write_text(f"State:\t{state}\nNSpid:\t{pids or number}\n")
        if mounts:
            (folder / "ns/mnt").symlink_to(mounts)


@pytest.fixture
def proc(tmp_path):
    return Proc(tmp_path / "proc")


@pytest.fixture
def pid_file(tmp_path):
    return tmp_path / "crond.pid"


def is_alive(proc, *pid_files):
    return cron_daemon.is_alive(proc.path, pid_files)


def test_where_no_daemon_runs_cron_is_dead(proc):
    assert is_alive(proc) is False


@pytest.mark.parametrize("name", ["cron", "crond"])
def test_a_daemon_that_sees_our_files_is_alive(proc, name):
    proc.add(77, name)
    assert is_alive(proc) is True


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"state": "Z (zombie)"}, id="a zombie"),
        pytest.param({"pids": "77\t5"}, id="in a container"),
        pytest.param({"mounts": "theirs"}, id="with other files"),
    ],
)
def test_a_daemon_that_does_not_read_this_spool_does_not_count(proc, odd):
    proc.add(77, "cron", **odd)
    assert is_alive(proc) is False


def test_a_daemon_of_which_it_is_hidden_what_it_sees_is_unknown(proc):
    proc.add(77, "cron", mounts=None)
    assert is_alive(proc) is None


def test_the_daemon_of_the_pid_file_is_alive_although_what_it_sees_is_hidden(proc, pid_file):
    proc.add(77, "cron", mounts=None)
    pid_file.write_text("77\n")
    assert is_alive(proc, pid_file) is True


@pytest.mark.parametrize("text", ["12\n", "99\n", "", "x" * 5000, "../12"])
def test_a_pid_file_that_names_no_daemon_says_nothing(proc, pid_file, text):
    pid_file.write_text(text)
    assert is_alive(proc, pid_file) is False


@pytest.mark.skipif(os.getuid() != 0, reason="another user is needed")
def test_who_sees_only_own_processes_does_not_know(proc):
    for path in (proc.path, *proc.path.rglob("*")):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    for parent in proc.path.parents:
        if parent.name.startswith(("test_", "pytest", "popen")):
            parent.chmod(0o755)
    code = (
        "from pathlib import Path; from pitasker_core.base import cron_daemon;"
        f"print(cron_daemon.is_alive(Path({str(proc.path)!r}), ()))"
    )
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run([*words, "/usr/bin/python3", "-c", code], capture_output=True, text=True)
    assert done.stdout == "None\n", done.stderr
