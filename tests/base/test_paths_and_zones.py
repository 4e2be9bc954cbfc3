"""Zones, paths and cron's standard input on unusual machines cause no exceptions."""

import ast
import shutil
from pathlib import Path

import pytest

import pitasker_core
from pitasker_core.base import clock, paths
from pitasker_core.crontab.execution import read_stdin

CORE = Path(pitasker_core.__file__).parent
ZONES = Path("/usr/share/zoneinfo")


@pytest.fixture
def localtime(tmp_path, monkeypatch):
    file = tmp_path / "localtime"
    monkeypatch.setattr(clock, "_LOCALTIME", file)
    monkeypatch.setattr(clock, "_TIMEZONE", tmp_path / "timezone")
    return file


@pytest.mark.parametrize("name", ["Asia/Kathmandu", "America/New_York", "UTC"])
def test_a_copied_localtime_has_the_name_of_its_zone(localtime, name):
    shutil.copy(ZONES / name, localtime)
    assert clock.system_zone().key == name


def test_a_copied_localtime_has_the_name_that_stands_beside_it_if_that_is_its_zone(localtime):
    shutil.copy(ZONES / "Etc/UTC", localtime)
    localtime.with_name("timezone").write_text("Etc/UTC\n")
    assert clock.system_zone().key == "Etc/UTC"
    localtime.with_name("timezone").write_text("Asia/Kathmandu\n")
    assert clock.system_zone().key == "UTC"


def test_a_zone_without_a_name_goes_by_its_rule(localtime):
    data = (ZONES / "Asia/Kathmandu").read_bytes()
    localtime.write_bytes(data.replace(b"\n<+0545>-5:45\n", b"\n<+0546>-5:46\n"))
    assert clock.system_zone().key == "<+0546>-5:46"


@pytest.mark.parametrize("target", [ZONES / "Mars/Olympus", "localtime", "/etc", "/etc/hostname"])
def test_a_link_to_no_zone_is_utc_as_for_the_c_library(localtime, target):
    localtime.symlink_to(target)
    assert clock.system_zone().key == "UTC"


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("", b""),
        ("%", b""),
        ("%a", b"a\n"),
        ("%a%", b"a\n"),
        ("%a%%", b"a\n\n"),
        ("%a\\%", b"a%\n"),
        ("%a%\\", b"a\n\\"),
        ("%a\\", b"a\\\n"),
        ("%\\", b"\\"),
        ("%\\\\%", b"\\%\n"),
    ],
)
def test_standard_input_is_byte_for_byte_what_cron_feeds(written, given):
    assert read_stdin(written) == given


@pytest.mark.parametrize("path", ["/a\0b", "/" + "x" * 300, "/\ud800", "", "/proc/self/mem/x"])
def test_no_question_about_a_path_raises(path):
    assert not paths.exists(path) or path == ""
    paths.is_folder(path)
    paths.is_enterable(path)
    paths.resolve(path)


def test_links_that_lead_to_each_other_lead_nowhere(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert not paths.exists(tmp_path / "a")
    assert paths.resolve(tmp_path / "a") is None


def test_a_user_that_does_not_exist_has_no_home_and_stops_nothing():
    assert paths.expand("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")


def test_whether_a_path_exists_is_asked_in_one_place():
    """`Path.exists` and similar methods raise for a path that this user may not reach."""
    asking = {"exists", "is_dir", "is_file", "is_symlink"}
    # Only in the private server's own folder, where every OSError is caught.
    spared = {CORE / "base/paths.py", CORE / "database/embedded.py"}
    wrong = [
        f"{file.relative_to(CORE)}:{node.lineno}"
        for file in CORE.rglob("*.py")
        if file not in spared
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in asking
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "paths")
        and not _is_query(node.func.value)
    ]
    assert wrong == []


def _is_query(called: ast.expr) -> bool:
    """Whether this is SQL's `exists`, on the result of `select` or `where`."""
    return isinstance(called, ast.Call) and isinstance(called.func, ast.Attribute | ast.Name)
