"""systemd units run at cron's times, with cron's command and input."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.formats.on_calendar import calendar_events
from pitasker_core.formats.record import TaskRecord
from pitasker_core.formats.systemd import Job, write_units

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze"
)
SINCE = datetime(2026, 2, 27, 21, 7, tzinfo=UTC)
COUNT = 12


def task(command="/bin/true", schedule="0 2 * * *", name="Backup", **fields):
    return TaskRecord(name, schedule, command, **fields)


def files(*jobs):
    return {unit.name: unit.text for unit in write_units(jobs).files}


def notes(job):
    return [note.message for note in write_units([job]).notes if note.name]


def elapses(events):
    """Return the times of a timer with these events, computed by systemd."""
    times = set()
    for event in events:
        base = f"--base-time={SINCE:%F %T UTC}"
        output = subprocess.run(
            ["systemd-analyze", "calendar", f"--iterations={COUNT}", base, event],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "TZ": "UTC"},
        ).stdout
        for stamp in re.findall(r"(?:Next elapse|Iter\. #\d+): \w+ ([-\d]+ [:\d]+)", output):
            times.add(datetime.fromisoformat(stamp).replace(tzinfo=UTC))
    return sorted(times)[:COUNT]


@needs_systemd
@pytest.mark.parametrize(
    "text",
    [
        "0 2 * * *",
        "*/15 9-17 * * mon-fri",
        "0 0 13 * 5",
        "0 0 */2 * 1",
        "0 0 1-31/2 * 1",
        "5,35 */6 1,15 jan,jul *",
        "0 12 31 * *",
        "* * * * *",
        "59 23 28-31 2 0-3,6",
        "@monthly",
        "0 4 29 2 *",
        "0 0 31 2 mon",
    ],
)
def test_a_timer_elapses_when_cron_runs(text):
    schedule = schedules.parse(text)
    expected = next_runs(schedule, SINCE, UTC, COUNT)
    assert elapses(calendar_events(schedule)) == expected


values = st.integers(0, 59)


def field(low, high):
    number = st.integers(low, high).map(str)
    ranges = st.tuples(st.integers(low, high), st.integers(low, high)).map(sorted)
    spans = ranges.map(lambda pair: f"{pair[0]}-{pair[1]}")
    steps = st.tuples(st.one_of(st.just("*"), spans), st.integers(1, 12))
    element = st.one_of(st.just("*"), number, spans, steps.map(lambda pair: f"{pair[0]}/{pair[1]}"))
    return st.lists(element, min_size=1, max_size=3).map(",".join)


@needs_systemd
@settings(max_examples=40, deadline=None)
@given(st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)))
def test_any_timer_elapses_when_cron_runs(fields):
    schedule = schedules.parse(" ".join(fields))
    expected = next_runs(schedule, SINCE, UTC, COUNT)
    limit = SINCE + timedelta(days=365 * 4)
    soon = [run for run in expected if run < limit]
    assert elapses(calendar_events(schedule))[: len(soon)] == soon


@needs_systemd
def test_systemd_takes_the_units(tmp_path):
    job = Job(
        task("cat > '/tmp/a b' \\%x$HOME%line 1%50\\% \"q\"", name="Ünits 100% “x”", catch_up=True,
             timeout_seconds=600),
        {"PATH": "/usr/bin", "A": 'b "c" $d %e'},
    )  # fmt: skip
    for name, text in files(job, Job(task(schedule="@reboot", name="Boot"))).items():
        (tmp_path / name).write_text(text)
    paths = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *paths], capture_output=True, text=True
    )
    ours = [
        line for line in done.stderr.splitlines() if str(tmp_path) in line or "pitasker" in line
    ]
    assert ours == []


def unquoted(text):
    """Parse a double-quoted word as systemd.syntax(7) and systemd.service(5) describe."""
    assert (text[0], text[-1]) == ('"', '"')
    raw = re.sub(
        rb'\\(?:x([0-9a-f]{2})|(["\\]))|%%|\$\$',
        lambda m: bytes.fromhex(m[1].decode()) if m[1] else m[2] or m[0][:1],
        text[1:-1].encode(),
    )
    return raw.decode()


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\n\r"), min_size=1))
def test_the_shell_gets_any_command_as_from_cron(text):
    command = text.replace("\\", "").replace("%", "\\%")
    service = files(Job(task(command)))["pitasker-backup.service"]
    line = next(line for line in service.split("\n") if line.startswith("ExecStart="))
    shell, quoted = line.removeprefix("ExecStart=").split(" -c ", 1)
    # In a systemd command line a single `$` begins a variable, and a single `%` a specifier.
    assert not set("$%") & set(quoted.replace("$$", "").replace("%%", ""))
    assert (unquoted(shell), unquoted(quoted)) == ("/bin/sh", text.replace("\\", ""))


@pytest.mark.parametrize(
    ("dialect", "given"), [(Dialect.DEBIAN, r"a\b %"), (Dialect.CRONIE, r"a\\b %")]
)
def test_backslashes_reach_the_shell_as_this_cron_hands_them_on(dialect, given):
    units = write_units([Job(task(r"a\\b \%"))], dialect)
    line = next(line for line in units.files[0].text.split("\n") if "ExecStart" in line)
    assert unquoted(line.split(" -c ", 1)[1]) == given


def test_standard_input_is_carried_over():
    service = files(Job(task(r"cat%a%50\% b")))["pitasker-backup.service"]
    assert "StandardInput=data\nStandardInputText=a\\x0a50%% b\n" in service


def test_times_limits_and_environment_are_carried_over():
    job = Job(task(catch_up=True, timeout_seconds=60), {"SHELL": "/bin/bash", "LANG": "C"})
    units = files(job)
    assert 'Environment="LANG=C"' in units["pitasker-backup.service"]
    assert 'ExecStart="/bin/bash" -c "/bin/true"' in units["pitasker-backup.service"]
    assert "TimeoutStartSec=60" in units["pitasker-backup.service"]
    assert "OnCalendar=*-*-* 02:00:00" in units["pitasker-backup.timer"]
    assert "Persistent=true" in units["pitasker-backup.timer"]


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (Job(task(schedule="@reboot")), "start of your systemd"),
        (Job(task(schedule="0 0 13 * 5")), "two OnCalendar= lines"),
        (Job(task(), {"MAILTO": "me"}), "MAILTO is not taken over"),
        (Job(task(), {"CRON_TZ": "Asia/Tokyo"}), "CRON_TZ is not taken over"),
        (Job(task(), {"A-B": "1"}), "no variable of the name 'A-B'"),
        (Job(task(paused=True)), "do not enable its timer"),
        (Job(task(ping_url="https://hc-ping.com/1")), "ping URL"),
        (Job(task(schedule="60 * * * *")), "It is left out: minute must be 0 to 59"),
        (Job(task(schedule="0 0 31 2 *")), "It is left out: it never runs"),
    ],
)
def test_what_is_not_carried_over_is_said(job, words):
    assert words in " ".join(notes(job))


def test_nothing_is_left_to_say_of_a_plain_task():
    assert notes(Job(task())) == []


def test_what_holds_for_all_units_is_said_once():
    said = [note.message for note in write_units([Job(task()), Job(task())]).notes]
    assert len(said) == len(set(said)) == 4
    assert any("never starts a service that still runs" in message for message in said)


def test_tasks_of_one_name_get_units_of_their_own():
    assert list(files(Job(task()), Job(task(name="backup!")), Job(task(name="…")))) == [
        "pitasker-backup.service",
        "pitasker-backup.timer",
        "pitasker-backup-2.service",
        "pitasker-backup-2.timer",
        "pitasker-task.service",
        "pitasker-task.timer",
    ]


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_no_name_writes_a_line_of_its_own_or_leaves_the_folder(name):
    for file, text in files(Job(task(name=name))).items():
        assert re.fullmatch(r"[a-z0-9-]+\.(service|timer)", file)
        assert sum(line.startswith("Description=") for line in text.split("\n")) == 1
        assert text.count("[Install]") <= 1 or name.count("[Install]")
