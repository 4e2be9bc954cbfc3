"""The environment of a login shell: read within limits, without leaving processes behind."""

import pwd
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pitasker_core.base.errors import ExecutionError
from pitasker_core.runs.login_environment import read_login_environment


@pytest.fixture
def login_files(tmp_path: Path, monkeypatch):
    """Write ~/.profile of a user whose login shell is /bin/sh."""
    account = SimpleNamespace(pw_dir=str(tmp_path), pw_name="pi", pw_shell="/bin/sh")
    monkeypatch.setattr(pwd, "getpwuid", lambda _: account)
    return (tmp_path / ".profile").write_text


def test_login_files_count_and_what_they_print_does_not(login_files) -> None:
    login_files("echo 'FAKE=1'\nexport PATH=/opt/bin:$PATH\nexport TWO='a\nb'\n")
    environment = read_login_environment()
    assert environment["PATH"].startswith("/opt/bin:")
    assert environment["TWO"] == "a\nb"
    assert "FAKE" not in environment


def test_our_own_environment_is_not_part_of_it(login_files, monkeypatch) -> None:
    monkeypatch.setenv("PITASKER_SECRET", "x")
    login_files("")
    assert "PITASKER_SECRET" not in read_login_environment()


@pytest.mark.parametrize("text", ["sleep 60\n", "exit 3\n", "exec sleep 60\n"])
def test_login_files_that_hang_or_end_are_an_error(login_files, text: str) -> None:
    login_files(text)
    start = time.monotonic()
    with pytest.raises(ExecutionError):
        read_login_environment(patience=0.5)
    assert time.monotonic() - start < 10


def test_a_login_shell_that_is_missing_is_an_error(monkeypatch, tmp_path: Path) -> None:
    account = SimpleNamespace(pw_dir=str(tmp_path), pw_name="pi", pw_shell="/nosuch/shell")
    monkeypatch.setattr(pwd, "getpwuid", lambda _: account)
    with pytest.raises(ExecutionError, match="cannot be started"):
        read_login_environment()
