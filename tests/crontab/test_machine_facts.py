"""The facts about a machine, also with a file system that does not answer."""

import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pitasker_core.base import bounded_lookup
from pitasker_core.base.bounded_lookup import ask
from pitasker_core.crontab.doctor.clock_changes import find_clock_changes
from pitasker_core.crontab.doctor.examination import examine
from pitasker_core.crontab.doctor.facts import ClockChange
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.machine_facts import gather, look_at_file, read_mounts

ZONE = ZoneInfo("Europe/Berlin")


def rules(text: str) -> set[str]:
    document = parse(text)
    return {finding.rule for finding in examine(document, gather(document, ZONE)).findings}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    path = tmp_path / "job.sh"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_good_script_has_no_finding(script: Path) -> None:
    assert rules(f"7 5 * * * {script} | logger\n") == set()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda path: path.chmod(0o644), "not_executable"),
        (lambda path: path.unlink(), "program_missing"),
        (lambda path: path.chmod(0o757), "open_to_others"),
        (lambda path: path.parent.chmod(0o777), "open_to_others"),
        (lambda path: path.write_bytes(b"#!/bin/sh\r\n"), "windows_script"),
        (lambda path: path.write_bytes(b"#!/usr/bin/gone\n"), "interpreter_missing"),
        (lambda path: path.write_bytes(b"#!/usr/bin/env gone\n"), "interpreter_missing"),
        (lambda path: path.write_bytes(b"\xef\xbb\xbf#!/bin/sh\n"), "byte_order_mark"),
    ],
)
def test_what_is_wrong_with_a_script_is_seen(script: Path, change, rule: str) -> None:
    change(script)
    assert rules(f"7 5 * * * {script} | logger\n") == {rule}


def test_an_interpreter_is_looked_up_on_the_path_of_the_crontab(script: Path) -> None:
    tool = script.parent / "tool"
    tool.write_text("#!/usr/bin/env job.sh\n")
    tool.chmod(0o755)
    job = f"7 5 * * * {tool} | logger\n"
    assert rules(job) == {"interpreter_missing"}
    assert rules(f"PATH={script.parent}:/usr/bin:/bin\n{job}") == set()


def test_a_program_outside_crons_path_is_found_elsewhere(script: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    document = parse("7 5 * * * job.sh | logger\n")
    (finding,) = examine(document, gather(document, ZONE)).findings
    assert finding.fix is not None
    assert finding.fix.command == f"{script} | logger"


@pytest.mark.parametrize(
    "path", ["/proc/1/root/x", "/" + "a" * 300, "/nosuch/x", "/etc/passwd/x", "/\0", "/dev/null"]
)
def test_a_path_out_of_reach_is_a_fact_and_no_error(path: str) -> None:
    assert look_at_file(path).path == path


def test_a_fifo_is_not_opened(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    start = time.monotonic()
    assert look_at_file(str(tmp_path / "pipe")).first_line == b""
    assert time.monotonic() - start < 1


def test_a_path_that_hangs_holds_up_no_other() -> None:
    release = threading.Event()

    def answer(question: int) -> int:
        if question == 3:
            release.wait(10)
        return question * 2

    start = time.monotonic()
    answers = ask(range(100), answer, patience=0.3)
    assert time.monotonic() - start < 3
    release.set()
    assert 3 not in answers
    assert len(answers) == 99


def test_after_too_many_hanging_threads_nothing_more_is_asked() -> None:
    release = threading.Event()
    for _ in range(10):
        ask([1, 2], lambda _: release.wait(10), patience=0.01)
    assert sum(t.is_alive() for t in bounded_lookup._abandoned) <= 9
    assert ask([1], lambda _: True) == {}
    release.set()
    for thread in bounded_lookup._abandoned:
        thread.join(5)
    assert ask([1], lambda _: True) == {1: True}


def test_a_question_that_fails_has_no_answer() -> None:
    assert ask(["a", "/"], lambda path: Path(path).read_text()) == {}


def test_a_table_of_mounts_is_read_with_its_escapes(tmp_path: Path) -> None:
    table = tmp_path / "fstab"
    table.write_text(
        "# a\n/dev/sda1 /mnt/my\\040disk ext4 noauto,ro 0 0\nUUID=x none swap sw 0 0\n"
    )
    (mount,) = read_mounts(table)
    assert (mount.place, mount.options) == ("/mnt/my disk", ("noauto", "ro"))
    assert read_mounts(tmp_path / "nosuch") == []


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        (
            "Europe/Berlin",
            [
                ClockChange(date(2026, 3, 29), 120, 180, is_forward=True),
                ClockChange(date(2026, 10, 25), 120, 180, is_forward=False),
            ],
        ),
        (
            "Australia/Lord_Howe",
            [
                ClockChange(date(2026, 4, 5), 90, 120, is_forward=False),
                ClockChange(date(2026, 10, 4), 120, 150, is_forward=True),
            ],
        ),
        (
            "America/Santiago",
            [
                ClockChange(date(2026, 4, 4), 1380, 1440, is_forward=False),
                ClockChange(date(2026, 9, 6), 0, 60, is_forward=True),
            ],
        ),
        ("Asia/Tokyo", []),
    ],
)
def test_the_clock_changes_of_a_year(zone: str, changes: list[ClockChange]) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert list(find_clock_changes(ZoneInfo(zone), since)) == changes
