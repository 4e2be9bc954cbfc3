"""PiTasker as a service of systemd."""

import os
import shutil
import subprocess

import pytest

from pitasker_core.base.errors import NotFound
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
