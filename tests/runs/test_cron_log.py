"""Runs in cron's log: parsing lines, finding the log, and importing runs."""

import bz2
import gzip
import json
import lzma
import os
import shutil
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.database.tables import RunRow, StateRow, TaskRow
from pitasker_core.reports import audit
from pitasker_core.runs import history, spool
from pitasker_core.runs.cron_log import log_lines, log_source, observed, reader
from pitasker_core.runs.cron_log.log_lines import Kind, Line
from pitasker_core.runs.cron_log.log_source import Source, Unreadable, find_log
from pitasker_core.sync import edit, service
from tests.helpers.cron_log import USER, Log
from tests.helpers.examples import ME, create

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
TAG = "11111111-2222-3333-4444-555555555555"


# Lines that a local user can write with `logger -t CRON`, and lines of cron and crontab only.
@pytest.mark.parametrize(
    ("uid", "message", "is_authentic"),
    [
        (0, "(pi) CMD (x)", True),
        (1000, "(pi) CMD (x)", False),
        (1000, "(CRON) STARTUP (fork ok)", False),
        (1000, "(pi) REPLACE (pi)", True),
        (1001, "(pi) REPLACE (pi)", False),
        (1000, "(root) REPLACE (pi)", False),
        (0, "(root) REPLACE (pi)", True),
        (None, "(pi) CMD (x)", None),
    ],
)
def test_a_line_of_the_journal_counts_only_from_who_may_say_it(uid, message, is_authentic):
    line = Line(NOON, 7, message, uid=uid)
    assert log_lines.is_authentic(line, log_lines.event(line), 1000) is is_authentic


def said(message, pid=7):
    return log_lines.event(Line(NOON, pid, message))


@pytest.mark.parametrize(
    ("message", "kind", "user", "text"),
    [
        ("(pi) CMD (/opt/x)", Kind.STARTED, "pi", "/opt/x"),
        ("(pi) CMD (a (b) c)", Kind.STARTED, "pi", "a (b) c"),
        ("(pi) CMD ()", Kind.STARTED, "pi", ""),
        ("(pi) REPLACE (pi)", Kind.REPLACED, "pi", "pi"),
        ("(root) BEGIN EDIT (pi)", Kind.EDIT_BEGUN, "root", "pi"),
        ("(pi) END EDIT (pi)", Kind.EDIT_ENDED, "pi", "pi"),
        ("(pi) LIST (pi)", Kind.LISTED, "pi", "pi"),
        ("(pi) DELETE (pi)", Kind.REMOVED, "pi", "pi"),
        ("(CRON) STARTUP (fork ok)", Kind.CRON_UP, "CRON", "fork ok"),
        ("(CRON) INFO (Running @reboot jobs)", Kind.CRON_UP, "CRON", "Running @reboot jobs"),
        ("(CRON) error (can't fork)", Kind.ERROR, "CRON", "error (can't fork)"),
        ("(CRON) ERROR (can't fork)", Kind.ERROR, "CRON", "ERROR (can't fork)"),
        ("(gone) ORPHAN (no passwd entry)", Kind.ERROR, "gone", "ORPHAN (no passwd entry)"),
        (
            "(pi) AUTH (crontab command not allowed)",
            Kind.ERROR,
            "pi",
            "AUTH (crontab command not allowed)",
        ),
        (
            "Error: bad minute; while reading crontab for user pi",
            Kind.ERROR,
            "",
            "bad minute; while reading crontab for user pi",
        ),
    ],
)
def test_what_a_line_says(message, kind, user, text):
    event = said(message)
    assert (event.kind, event.user, event.text) == (kind, user, text)


@pytest.mark.parametrize(
    "message",
    [
        "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
        "(CRON) INFO (pidfile fd = 3)",
        "(CRON) info (No MTA installed, discarding output)",
        "(pi) RELOAD (crontabs/pi)",
        "(pi) END ([27142] true)",
        "(pi) CMDEND (true)",
        "",
    ],
)
def test_what_is_of_no_interest(message):
    assert said(message) is None


def test_the_process_is_the_jobs_when_cron_tells_both():
    assert said("(pi) CMD ([27142] true longer)", pid=27140).pid == 27142


@given(st.text(st.characters(exclude_characters="\n\0", codec="utf-8")))
def test_a_command_is_compared_as_cron_writes_it(command):
    logged = log_lines.as_logged(command)
    assert logged.isascii()
    assert logged.isprintable()
    assert said(f"(pi) CMD ({logged})").text == logged


def test_odd_bytes_are_written_as_cron_writes_them():
    # Seen in the log of Debian 12's cron.
    assert log_lines.as_logged("echo é\r 'a\tb' \x7f\udcff") == r"echo \303\251^M 'a^Ib' ^?\377"


def syslog(*lines, now=NOON, zone="Europe/Berlin"):
    read = log_lines.from_syslog([f"{line}\n".encode() for line in lines], now, ZoneInfo(zone))
    parsed = [line for line in read if isinstance(line, Line)]
    return [(line.at.isoformat(), line.pid, line.message) for line in parsed]


def test_both_kinds_of_stamps_are_read():
    assert syslog(
        "Nov 25 03:17:01 pi CRON[123]: (pi) CMD (x)",
        "2026-11-25T03:18:01.123456+01:00 pi CRON[124]: (pi) CMD (y)",
        "2026-11-25T02:19:01Z pi /usr/sbin/cron[9]: (CRON) STARTUP (fork ok)",
        "Nov  5 03:17:01 pi crond[5]: (pi) CMD (z)",
    ) == [
        ("2026-11-25T02:17:01+00:00", 123, "(pi) CMD (x)"),
        ("2026-11-25T02:18:01.123456+00:00", 124, "(pi) CMD (y)"),
        ("2026-11-25T02:19:01+00:00", 9, "(CRON) STARTUP (fork ok)"),
        ("2026-11-05T02:17:01+00:00", 5, "(pi) CMD (z)"),
    ]


def test_a_stamp_without_a_year_is_of_the_last_twelve_months():
    january = datetime(2027, 1, 2, tzinfo=UTC)
    (event,) = syslog("Dec 31 23:00:01 pi CRON[1]: (pi) CMD (x)", now=january)
    assert event[0] == "2026-12-31T22:00:01+00:00"
    leap = datetime(2028, 3, 1, tzinfo=UTC)
    (event,) = syslog("Feb 29 12:00:01 pi CRON[1]: (pi) CMD (x)", now=leap)
    assert event[0] == "2028-02-29T11:00:01+00:00"


def test_time_goes_on_in_the_hour_that_autumn_repeats():
    stamps = ("Oct 25 02:10:01", "Oct 25 02:50:01", "Oct 25 02:10:01", "Oct 25 02:50:01")
    events = syslog(*(f"{stamp} pi CRON[1]: (pi) CMD (x)" for stamp in stamps))
    assert [at[11:16] for at, _, _ in events] == ["00:10", "00:50", "01:10", "01:50"]


@pytest.mark.parametrize(
    "line",
    [
        "Nov 25 03:17:01 pi sshd[1]: (pi) CMD (cron)",
        "Nov 31 03:17:01 pi CRON[1]: (pi) CMD (x)",
        "2026-11-25T03:18:01 pi CRON[1]: (pi) CMD (without a zone)",
        "2026-99-25T03:18:01Z pi CRON[1]: (pi) CMD (x)",
        "CRON",
        "",
    ],
)
def test_lines_that_are_not_crons_are_passed_over(line):
    assert syslog(line) == []


def test_any_bytes_can_stand_in_a_log():
    pairs = list(
        log_lines.from_syslog(
            [b"Nov 25 03:17:01 pi cron[1]: (\xff\0) ORPHAN (x)\n"], NOON, ZoneInfo("UTC")
        )
    )
    assert pairs[0].message == r"(\xff) ORPHAN (x)"


def entry(message, at, uptime, boot="b1", **more):
    return json.dumps(
        {
            "MESSAGE": message,
            "SYSLOG_PID": "123",
            "_BOOT_ID": boot,
            "_UID": "0",
            "__REALTIME_TIMESTAMP": str(int(at.timestamp() * 1e6)),
            "__MONOTONIC_TIMESTAMP": str(int(uptime * 1e6)),
            "__CURSOR": f"s=1;t={at.timestamp()}",
            **more,
        }
    ).encode()


def test_the_journal_is_read_with_its_cursor_and_what_is_damaged_is_passed_over():
    lines = [
        entry("(pi) CMD (x)", NOON, 5),
        b"{damaged",
        b'{"MESSAGE": null}',
        entry(list(b"(pi) CMD (\xff)"), NOON, 6),
    ]
    pairs = [pair for pair in log_lines.from_journal(lines) if isinstance(pair[0], Line)]
    assert [(line.message, line.pid, line.uptime) for line, _ in pairs] == [
        ("(pi) CMD (x)", 123, 5.0),
        (r"(pi) CMD (\xff)", 123, 6.0),
    ]
    assert pairs[0][1] == f"s=1;t={NOON.timestamp()}"


@pytest.mark.parametrize(
    ("gain", "boot", "is_jump"),
    [
        (0, "b1", False),
        (30, "b1", False),
        (3600, "b1", True),
        (-90, "b1", True),
        (3600, "b2", False),
    ],
)
def test_a_clock_that_was_set_shows_in_the_journal(gain, boot, is_jump):
    before = Line(NOON, 1, "", "b1", 100.0)
    after = Line(NOON + timedelta(seconds=60 + gain), 1, "", boot, 160.0)
    assert log_lines.jumped(before, after) is is_jump


# --- Where the log is -------------------------------------------------------------------------


@pytest.fixture
def as_a_user(monkeypatch, tmp_path):
    """Let `find_log` search the test's folders, as a user to whom file modes apply."""

    def readable(path, how):
        return Path(path).exists() and bool(Path(path).stat().st_mode & stat.S_IROTH)

    monkeypatch.setattr(log_source.os, "access", readable)
    monkeypatch.setattr(log_source.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(
        log_source, "_group", lambda log: {"journal": "systemd-journal"}.get(log.parent.name, "adm")
    )
    monkeypatch.setattr(log_source, "JOURNALS", ())
    monkeypatch.setattr(log_source, "FILES", (tmp_path / "cron.log", tmp_path / "syslog"))
    return tmp_path


def test_what_cannot_be_read_names_the_group_to_join(environment, as_a_user):
    nowhere = replace(environment, cron_log=None)
    assert find_log(nowhere).message == "This machine keeps no log of cron."
    (as_a_user / "syslog").touch(0o640)
    source = find_log(nowhere)
    assert isinstance(source, Unreadable)
    assert source.message == "Only members of the group adm may read cron's log."
    assert "usermod -aG adm" in source.advice
    (as_a_user / "syslog").chmod(0o644)
    assert find_log(nowhere) == Source(as_a_user / "syslog")


def test_a_file_that_nobody_writes_any_more_is_not_the_log(environment, as_a_user):
    for name in ("cron.log", "syslog"):
        (as_a_user / name).touch(0o644)
    old = time.time() - 5 * 86400
    os.utime(as_a_user / "cron.log", (old, old))
    assert find_log(replace(environment, cron_log=None)) == Source(as_a_user / "syslog")


@pytest.mark.skipif(not Path("/etc/machine-id").exists(), reason="this machine has no id")
def test_the_journal_comes_first_and_has_a_group_of_its_own(environment, as_a_user, monkeypatch):
    machine = Path("/etc/machine-id").read_text().strip()
    (as_a_user / "journal" / machine).mkdir(parents=True)
    file = as_a_user / "journal" / machine / "system.journal"
    file.touch(0o640)
    monkeypatch.setattr(log_source, "JOURNALS", (as_a_user / "journal",))
    source = find_log(replace(environment, cron_log=None))
    assert source.message == "Only members of the group systemd-journal may read cron's log."
    file.chmod(0o644)
    assert find_log(replace(environment, cron_log=None)) == Source()


def test_the_log_of_an_odd_setup_is_named_and_the_demo_has_none(environment):
    assert "PITASKER_CRON_LOG" in find_log(environment).advice
    environment.cron_log.touch()
    assert find_log(environment) == Source(environment.cron_log)
    assert isinstance(find_log(replace(environment, cron_log=None, demo=True)), Unreadable)


# --- Reading on -------------------------------------------------------------------------------


@pytest.fixture
def log(environment):
    return Log(environment.cron_log)


def test_each_line_is_read_once_and_a_half_one_when_it_is_whole(log):
    log.write(f"({USER}) CMD (one)")
    log.write(f"({USER}) CMD (two", end="")
    assert log.read() == ["one"]
    assert log.read() == []
    with log.file.open("a") as file:
        file.write(")\n")
    log.write("(another) CMD (not mine)")
    assert log.read() == ["two"]


def test_nothing_is_lost_when_the_log_is_rotated(log):
    log.write(f"({USER}) CMD (one)")
    assert log.read() == ["one"]
    log.write(f"({USER}) CMD (two)")
    log.file.rename(f"{log.file}.1")
    log.write(f"({USER}) CMD (three)")
    assert log.read() == ["two", "three"]
    assert log.read() == []


@pytest.mark.parametrize(
    ("suffix", "pack"), [("gz", gzip.open), ("xz", lzma.open), ("bz2", bz2.open)]
)
def test_starts_in_a_rotated_and_packed_log_are_read(log, suffix, pack):
    log.write(f"({USER}) CMD (one)", clock.now() - timedelta(hours=3))
    assert log.read() == ["one"]
    log.write(f"({USER}) CMD (two)", clock.now() - timedelta(hours=2))
    log.pack(suffix, pack)
    log.write(f"({USER}) CMD (three)")
    assert log.read() == ["one", "two", "three"]
    assert log.holes == []


def test_what_stood_in_a_packing_that_cannot_be_read_is_a_hole(log):
    first, last = clock.now() - timedelta(hours=3), clock.now()
    log.write(f"({USER}) CMD (one)", first)
    log.read()
    log.write(f"({USER}) CMD (two)", clock.now() - timedelta(hours=2))
    log.pack("zst", open)
    log.write(f"({USER}) CMD (three)", last)
    assert log.read() == ["three"]
    assert log.holes == [(first, last)]


def test_a_damaged_packed_log_is_a_hole_and_stops_nothing(log):
    first, last = clock.now() - timedelta(hours=3), clock.now()
    log.write(f"({USER}) CMD (one)", first)
    log.read()
    log.pack("gz", open)
    log.write(f"({USER}) CMD (three)", last)
    assert log.read() == ["three"]
    assert log.holes == [(first, last)]


def test_what_was_deleted_before_it_was_read_is_a_hole(log):
    first, last = clock.now() - timedelta(hours=3), clock.now()
    log.write(f"({USER}) CMD (one)", first)
    log.read()
    log.file.unlink()
    log.write(f"({USER}) CMD (three)", last)
    assert log.read() == ["three"]
    assert log.holes == [(first, last)]


def test_a_new_log_with_the_inode_of_a_deleted_one_is_not_taken_for_it(log):
    log.write(f"({USER}) CMD (one)", clock.now() - timedelta(hours=3))
    log.read()
    with log.file.open("w"):
        pass
    log.write(f"({USER}) CMD (two, which is longer than the line that was read before)")
    assert log.read() == ["two, which is longer than the line that was read before"]


def test_a_log_rotated_in_a_quiet_night_has_no_hole(log):
    log.write(f"({USER}) CMD (one)", clock.now() - timedelta(hours=9))
    log.read()
    log.file.rename(f"{log.file}.1")
    log.write(f"({USER}) CMD (two)")
    assert log.read() == ["two"]
    assert log.holes == []


@pytest.mark.parametrize(
    "line",
    [
        "(pi) CMD ([{9s}] x)",
        "(pi) CMD ([4194305] x)",
    ],
)
def test_a_number_that_no_process_has_stops_nothing_and_is_counted(log, line):
    log.write(line.replace("{9s}", "9" * 5000))
    log.write("(pi) CMD (x)", pid="9" * 5000)
    log.write("(pi) CMD (x)", pid=4_194_305)
    log.write(f"({USER}) CMD (one)")
    assert log.read() == ["one"]
    assert log.skipped == 3


def test_a_line_without_end_is_not_read_into_memory(log):
    log.write(f"({USER}) CMD ({'x' * 300_000})")
    log.write(f"({USER}) CMD (one)")
    assert log.read() == ["one"]


def test_a_log_that_was_emptied_in_its_place_is_new(log):
    log.write(f"({USER}) CMD (a longer one)")
    assert log.read() == ["a longer one"]
    log.file.write_text("")
    log.write(f"({USER}) CMD (two)")
    assert log.read() == ["two"]


def test_the_first_reading_goes_back_a_week_into_the_rotated_log(log):
    log.write(f"({USER}) CMD (too old)", clock.now() - timedelta(days=8))
    log.write(f"({USER}) CMD (old)", clock.now() - timedelta(days=6))
    log.file.rename(f"{log.file}.1")
    log.write(f"({USER}) CMD (new)")
    assert log.read() == ["old", "new"]


def test_crons_start_is_told_with_the_last_sign_of_it_before(log):
    died = clock.now() - timedelta(hours=3)
    log.write("(another) CMD (x)", died, pid=50)
    log.write("(pi) LIST (pi)", died + timedelta(hours=1), pid=60, name="crontab")
    up = clock.now() - timedelta(hours=1)
    log.write("(CRON) INFO (pidfile fd = 3)", up, pid=70, name="cron")
    log.write("(CRON) INFO (Running @reboot jobs)", up, pid=70, name="cron")
    result = reader.read(Source(log.file), {}, clock.now() - timedelta(days=7), USER)
    assert result.ups == [(died, up)]


@pytest.mark.skipif(not shutil.which("journalctl"), reason="there is no journalctl here")
def test_the_journal_is_asked_for_what_is_new_and_a_cursor_it_does_not_know_begins_anew(
    tmp_path, monkeypatch
):
    real = tmp_path / "journalctl"
    real.write_text(f"""#!/bin/sh
echo "$*" >> {tmp_path}/asked
case "$*" in *after-cursor*damaged*) exit 1;; esac
cat {tmp_path}/answer
""")
    real.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    answer = tmp_path / "answer"
    lines = [
        entry(f"({USER}) CMD (x)", NOON, 100),
        entry(f"({USER}) CMD (y)", NOON + timedelta(hours=5), 160),
    ]
    answer.write_bytes(b"\n".join(lines))
    result = reader.read(Source(), {}, NOON - timedelta(days=1), USER)
    assert [event.text for event in result.events] == ["x", "y"]
    assert result.jumps == [(NOON, NOON + timedelta(hours=5))]
    answer.write_bytes(entry(f"({USER}) CMD (z)", NOON + timedelta(hours=6), 160 + 3600))
    again = reader.read(Source(), result.place, NOON - timedelta(days=1), USER)
    assert again.jumps == []
    calls = (tmp_path / "asked").read_text().splitlines()
    assert "--since @" in calls[0]
    assert f"--after-cursor {result.place['cursor']}" in calls[1]
    reader.read(Source(), {"cursor": "damaged"}, NOON - timedelta(days=1), USER)
    assert "--since @" in (tmp_path / "asked").read_text().splitlines()[-1]


# --- Runs and events --------------------------------------------------------------------------


def starts(environment):
    with database.session(environment) as session:
        rows = session.scalars(select(RunRow).order_by(RunRow.id)).all()
        return [(row.task, row.command, row.source, row.pid) for row in rows]


def test_a_start_of_a_task_is_seen_by_its_tag_with_nothing_changed(environment, crontab, log):
    task = create(environment)
    before = crontab.read()
    at = clock.now() - timedelta(hours=1)
    log.write(f"({USER}) CMD (/home/pi/backup.sh # PITASKER_ID:{task.tag})", at, pid=4711)
    observed.collect(environment)
    observed.collect(environment)
    (run,) = history.runs(environment)
    assert (run.task, run.started_at, run.source, run.state) == (task.id, at, "observed", "started")
    now = tasks.get(environment, task.id)
    assert (now.last_run, now.status) == (at, "pending")
    assert crontab.read() == before


def test_after_a_change_of_the_log_no_start_counts_twice_and_what_neither_has_is_a_hole(
    environment, crontab, log, tmp_path, monkeypatch
):
    crontab.write(b"0 2 * * * /bin/job\n")
    at, read_at = clock.now() - timedelta(minutes=30), clock.now()
    log.write(f"({USER}) CMD (/bin/job)", at, pid=1)
    monkeypatch.setattr(clock, "now", lambda: read_at)
    observed.collect(environment)
    for begin, pids in ((at, (1, 2)), (read_at + timedelta(minutes=5), (3,))):
        new = Log(tmp_path / f"{pids[-1]}.log")
        for pid in pids:
            new.write(f"({USER}) CMD (/bin/job)", begin, pid)
        seen = observed.collect(replace(environment, cron_log=new.file))
    assert [pid for *_, pid in starts(environment)] == [1, 2, 3]
    assert seen.holes == ((read_at, read_at + timedelta(minutes=5)),)


def test_an_unmanaged_entry_is_known_by_its_command_and_others_jobs_are_nobodys(
    environment, crontab, log
):
    crontab.write(b"0 2 * * * printf 'a\tb' \\% \\\\ %input\n")
    log.write(f"({USER}) CMD (printf 'a^Ib' % \\ )")
    log.write("(somebody) CMD (printf 'a^Ib' % \\ )")
    log.write(f"({USER}) CMD (   cd / && run-parts --report /etc/cron.hourly)")
    observed.collect(environment)
    assert starts(environment) == [(None, "printf 'a\tb' \\% \\\\ %input", "observed", 100)]


def test_nothing_is_written_while_nothing_of_ours_is_new(environment, crontab, log):
    create(environment)
    log.write(f"({USER}) CMD (unknown)")
    observed.collect(environment)

    def place():
        with database.session(environment) as session:
            return session.scalar(select(StateRow.updated_at).where(StateRow.key.like("log:%")))

    first = place()
    log.write("(another) CMD (x)")
    observed.collect(environment)
    assert place() == first


def recorded(environment, task, at, pid, ppid=1, by="cron"):
    """Write a recorder's file of an ended run."""
    environment.spool.mkdir(parents=True, exist_ok=True)
    name = f"{task}-{int(at.timestamp() * 1e9)}-{pid}"
    record = {"task": str(task), "by": by, "started": at.timestamp(), "pid": pid, "ppid": ppid}
    (environment.spool / f"{name}.start").write_text(json.dumps(record))
    end = {"ended": at.timestamp() + 1, "exit_code": 0, "signal": None}
    (environment.spool / f"{name}.json").write_text(json.dumps({**record, **end}))


@pytest.mark.parametrize(
    ("log_first", "later", "pid", "ppid", "is_one"),
    [
        (True, 1, 999, 1, True),
        (False, 1, 999, 1, True),
        (True, 30, 4711, 1, True),
        (False, 30, 4711, 1, True),
        (True, 30, 999, 4711, True),
        (True, 30, 999, 1, False),
        (True, 3600, 4711, 1, False),
        (False, 3600, 4711, 1, False),
    ],
)
def test_a_run_that_is_also_recorded_exists_once(
    environment, crontab, log, log_first, later, pid, ppid, is_one
):
    task = create(environment)
    at = clock.now() - timedelta(hours=2)
    log.write(f"({USER}) CMD (x # PITASKER_ID:{task.tag})", at, pid=4711)
    recorded(environment, task.id, at + timedelta(seconds=later), pid, ppid)
    both = [observed.collect, spool.collect]
    for collect in both if log_first else reversed(both):
        collect(environment)
    sources = sorted(source for _, _, source, _ in starts(environment))
    assert sources == (["recorded"] if is_one else ["observed", "recorded"])
    assert tasks.get(environment, task.id).status == "success"


def test_a_run_by_hand_is_no_twin_of_one_by_cron(environment, crontab, log):
    task = create(environment)
    at = clock.now() - timedelta(hours=2)
    log.write(f"({USER}) CMD (x # PITASKER_ID:{task.tag})", at)
    recorded(environment, task.id, at + timedelta(seconds=2), 999, by="hand")
    observed.collect(environment)
    spool.collect(environment)
    assert [source for _, _, source, _ in starts(environment)] == ["observed", "by hand"]


def test_a_start_ends_a_miss_and_the_newest_result_stands(environment, crontab, log):
    task = create(environment)
    recorded(environment, task.id, clock.now() - timedelta(days=1), 1)
    spool.collect(environment)
    with database.session(environment) as session:
        session.execute(update(TaskRow).values(status="missed"))
    log.write(f"({USER}) CMD (x # PITASKER_ID:{task.tag})")
    observed.collect(environment)
    assert tasks.get(environment, task.id).status == "success"


def test_changes_of_the_crontab_by_others_are_events_and_our_own_are_not(environment, crontab, log):
    create(environment)
    log.write(f"({USER}) REPLACE ({USER})", pid=1, name="crontab")
    long_ago = clock.now() - timedelta(hours=5)
    log.write(f"({USER}) BEGIN EDIT ({USER})", long_ago, pid=2, name="crontab")
    log.write(f"({USER}) REPLACE ({USER})", long_ago, pid=2, name="crontab")
    log.write(f"({USER}) END EDIT ({USER})", long_ago, pid=2, name="crontab")
    log.write(f"({USER}) BEGIN EDIT ({USER})", long_ago, pid=3, name="crontab")
    log.write(f"({USER}) END EDIT ({USER})", long_ago, pid=3, name="crontab")
    log.write(f"(admin) REPLACE ({USER})", long_ago, pid=4, name="crontab")
    log.write(f"({USER}) DELETE ({USER})", long_ago, pid=5, name="crontab")
    log.write("(other) REPLACE (other)", long_ago, pid=6, name="crontab")
    observed.collect(environment)
    events = [e for e in audit.listing(environment, 50) if e.actor == Actor.CRON_LOG]
    assert sorted((event.kind, event.after) for event in events) == [
        ("edited by crontab -e", None),
        ("removed by crontab -r", None),
        ("replaced by crontab", None),
    ]
    assert {event.at for event in events} == {long_ago}


def test_a_text_that_was_saved_here_is_our_own_write(environment, crontab, log):
    crontab.write(b"0 2 * * * x\n")
    text, _ = service.read_crontab(environment)
    edit.save_raw(environment, f"{text}# more\n", text, actor=ME)
    log.write(f"({USER}) REPLACE ({USER})", name="crontab")
    observed.collect(environment)
    assert not [e for e in audit.listing(environment, 50) if e.actor in observed.ACTORS]


def test_a_log_that_cannot_be_read_is_a_value_not_an_error(environment):
    assert isinstance(observed.collect(environment), Unreadable)
    environment.cron_log.mkdir()
    assert isinstance(observed.collect(environment), Unreadable)


def test_a_tag_that_nobody_knows_is_nobodys(environment, crontab, log):
    create(environment)
    log.write(f"({USER}) CMD (x # PITASKER_ID:{uuid4()})")
    observed.collect(environment)
    assert starts(environment) == []
