"""PiTasker as a service of systemd."""

import os
import shutil
import subprocess

import pytest

from pitasker_core.base.errors import NotFound
from pitasker_core.base.identity import user_name
from pitasker_core.server import systemd_unit


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("there is no systemd-analyze on this machine")
    file = tmp_path / systemd_unit.NAME
    file.write_text(
        systemd_unit.text(["--port", "8501", "--base-url", "https://pi.example/100%$x"])
    )
    done = subprocess.run(
        [analyze, "--user", "verify", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert systemd_unit.NAME not in done.stderr


def test_an_argument_reaches_the_command_as_it_is():
    text = systemd_unit.text(["--base-url", 'a b"c\\d%h$HOME'])
    (line,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    assert line.endswith(' up --base-url "a b\\"c\\\\d%%h$$HOME"')


def test_the_unit_takes_nothing_from_crontab():
    directives = [line for line in systemd_unit.text([]).splitlines() if not line.startswith("#")]
    for forbidden in ("NoNewPrivileges", "SystemCallFilter", "PrivateUsers", "PrivateTmp"):
        assert not any(line.startswith(forbidden) for line in directives)


def test_without_systemd_the_service_says_so(monkeypatch):
    monkeypatch.setattr(systemd_unit.shutil, "which", lambda name: None)
    with pytest.raises(NotFound, match="does not use systemd"):
        systemd_unit.state()


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """A fake systemctl. Returns its calls and the path of the unit file."""
    calls, program = tmp_path / "calls", tmp_path / "systemctl"
    calls.touch()
    answers = 'is-active) echo active;; is-enabled) echo enabled;; enable) echo "$PROBLEM" >&2'
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {calls}\ncase $2 in {answers}; test -z "$PROBLEM";; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    is_there = {"/run/systemd/system": True, f"/var/lib/systemd/linger/{user_name()}": False}
    exists = systemd_unit.paths.exists
    monkeypatch.setattr(
        systemd_unit.paths, "exists", lambda path: is_there.get(str(path), exists(path))
    )
    return calls, tmp_path / "systemd" / "user" / systemd_unit.NAME


def test_the_service_is_installed_with_its_options_and_removed(cli, capsys, systemd):
    calls, unit = systemd
    options = "--host 127.0.0.1 --port 9000 --base-url https://pi.example --trusted-proxy 10.0.0.1"
    assert cli("service", "install", *options.split()) == 0
    assert f"pitasker up {options}\n" in unit.read_text()
    acts = [line.split()[1] for line in calls.read_text().splitlines()]
    assert acts == ["daemon-reload", "enable", "restart", "is-active", "is-enabled"]
    printed = capsys.readouterr().out
    assert "The service is installed, running, and starts automatically." in printed
    assert f"sudo loginctl enable-linger {user_name()}" in printed
    assert cli("service", "uninstall") == 0
    assert "disable --now" in calls.read_text()
    assert not unit.exists()
    assert cli("service", "uninstall") == 3
    assert "There is no service to remove." in capsys.readouterr().err


def test_an_error_of_systemd_is_shown_with_advice(cli, capsys, systemd, monkeypatch):
    monkeypatch.setenv("PROBLEM", "Failed to connect to bus")
    assert cli("service", "install") == 3
    problem = capsys.readouterr().err
    assert "`systemctl --user enable pitasker.service` failed: Failed to connect to bus" in problem
    assert "not by `su` or `sudo`" in problem
