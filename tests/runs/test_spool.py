"""What recorders left becomes history: each run once, whatever state its files are in."""

import json
import os
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert, text

from pitasker_core import background, clock, database, tasks
from pitasker_core.database.tables import RunRow
from pitasker_core.errors import ExecutionError
from pitasker_core.preferences import Preferences
from pitasker_core.runs import history, retention, spool
from pitasker_core.runs.recorder import FORGOTTEN
from pitasker_core.sync import store
from tests.helpers.examples import create
from tests.helpers.recording import Recorder
from tests.helpers.waiting import until


@pytest.fixture
def left(settings):
    """A task, and a recorder whose spool is PiTasker's."""
    settings.make_home()
    made = Recorder(settings.home)
    made.task = create(settings)
    made.words = lambda command, *options: [
        *("/usr/bin/python3", "-I", "-S", str(made.file)),
        *(*options, str(made.task.id), command),
    ]
    return made


TIMED_OUT = ("timed out", "failed", "recorded")


def files(settings):
    return sorted(file.name for file in settings.spool.iterdir() if file.suffix != ".lock")


def only(settings):
    (found,) = history.runs(settings)
    return found


def write(settings, kind, told, name="{task}-1700000000000000000-99"):
    settings.spool.mkdir(exist_ok=True)
    file = settings.spool / f"{name}.{kind}"
    file.write_bytes(told if isinstance(told, bytes) else json.dumps(told).encode())
    return file


def test_an_ended_run_is_taken_in_with_all_there_is_and_its_files_go(settings, left):
    left.run("echo out; echo err >&2; exit 3")
    assert spool.collect(settings) == 1
    run = only(settings)
    assert (run.task, run.state, run.exit_code, run.source) == (
        left.task.id,
        "failed",
        3,
        "recorded",
    )
    assert run.bytes == 8
    assert sorted(history.output(settings, run.id).split()) == [b"err", b"out"]
    assert timedelta(0) < run.duration < timedelta(seconds=5)
    assert files(settings) == []
    task = tasks.get(settings, left.task.id)
    assert (task.status, task.last_run) == ("failed", run.started_at)
    assert spool.collect(settings) == 0


def test_what_a_recorder_tells_is_said(settings, left):
    left.set("KILL_AFTER", 0.2)
    told = [
        (left.run("sleep 9", "--timeout", "0.1"), *TIMED_OUT),
        (left.run("trap 'exit 0' TERM; sleep 9 & wait", "--timeout", "0.1"), *TIMED_OUT),
        (left.run("kill -9 $$"), "", "failed", "recorded"),
        (left.run("true", "--by", "hand"), "", "success", "by hand"),
    ]
    spool.collect(settings)
    found = [(run.note, run.state, run.source) for run in reversed(history.runs(settings))]
    assert found == [tuple(expected) for _, *expected in told]


def test_a_run_that_was_not_to_start_beside_another_is_missed_and_changes_nothing(settings, left):
    long = subprocess.Popen(left.words("sleep 60", "--no-overlap"))
    until(lambda: any(file.suffix == ".start" for file in settings.spool.glob("*")))
    until(lambda: spool.collect(settings) and tasks.get(settings, left.task.id).status == "running")
    left.run("true", "--no-overlap")
    spool.collect(settings)
    newest = history.runs(settings)[0]
    assert (newest.state, newest.result) == ("missed", "missed: the run before was still going on")
    assert tasks.get(settings, left.task.id).status == "running"
    with database.session(settings) as session:
        assert session.scalars(text("select kind from notices")).all() == []
    long.terminate()
    long.wait()


def test_a_time_of_which_the_oldest_records_went_is_remembered(settings, left):
    left.set("RECORDS", 2)
    starts = []
    for _ in range(5):
        left.run("true")
        starts += {file.name for file in settings.spool.glob("*.json")} - set(starts)
    spool.collect(settings)
    spool.collect(settings)
    assert len(history.runs(settings)) == 2
    with database.session(settings) as session:
        ((first, last),) = spool.holes(session, store.own_crontab(session))
    assert int(first.timestamp()) == int(starts[0].split("-")[1]) // 10**9
    assert last.timestamp() == pytest.approx(int(starts[3].split("-")[1]) / 10**9, abs=1e-5)
    assert files(settings) == []


def test_a_record_with_an_absurd_start_does_not_hide_that_others_went(settings, left):
    number = left.task.id
    settings.spool.mkdir()
    first, last = 1_700_000_000, 1_700_000_900
    (settings.spool / FORGOTTEN).write_text(f"{number}-{first}000000000-1")
    ended = {"exit_code": 0, "ended": last + 1}
    for began, start in ((f"{last}000000000", last), ("1700000950000000000", 1e300), ("5", 5e-9)):
        write(settings, "json", {"started": start, **ended}, f"{number}-{began}-2")
    spool.collect(settings)
    with database.session(settings) as session:
        ((begin, end),) = spool.holes(session, store.own_crontab(session))
    assert (begin.timestamp(), end.timestamp()) == (first, last)


def test_output_that_is_not_text_is_kept_as_it_is(settings, left):
    data = bytes(range(256)) * 4
    left.run("cat", input=data)
    spool.collect(settings)
    assert history.output(settings, only(settings).id) == data


def test_a_run_that_goes_on_is_written_once_and_shown_as_it_prints(settings, left):
    running = left.start("echo begun; read x; echo done", stdin=subprocess.PIPE)
    until(lambda: list(settings.spool.glob("*.head")))
    assert spool.collect(settings) == 1
    run = only(settings)
    assert (run.state, history.output(settings, run.id)) == ("running", b"begun\n")
    assert tasks.get(settings, left.task.id).status == "running"
    with database.session(settings) as session:
        version = text("select xmin::text from runs")
        before = session.scalar(version)
    spool.collect(settings)
    with database.session(settings) as session:
        assert session.scalar(version) == before
    running.communicate(b"\n")
    spool.collect(settings)
    assert only(settings).state == "success"
    assert history.output(settings, only(settings).id) == b"begun\ndone\n"
    assert files(settings) == []


def test_nothing_to_take_in_asks_the_database_nothing(settings, left):
    asked = []
    engine = database.connect(settings)
    event.listen(engine, "before_cursor_execute", lambda *words: asked.append(words[2]))
    assert spool.collect(settings) == 0  # without the folder
    settings.spool.mkdir()
    assert spool.collect(settings) == 0
    assert asked == []


def test_a_run_whose_recorder_was_killed_is_followed_to_its_end(settings, left):
    running = left.start("echo begun; while [ ! -e go ]; do sleep .02; done", cwd=settings.home)
    running.stdout.readline()
    left.job()
    until(lambda: list(settings.spool.glob("*.head")))  # so there is a pump
    running.kill()
    running.wait()
    spool.collect(settings)
    assert only(settings).state == "running"
    (settings.home / "go").touch()
    until(lambda: list(settings.spool.glob("*.json")))
    spool.collect(settings)
    run = only(settings)
    assert (run.note, run.state, run.exit_code) == (spool.NOBODY_SAW, "failed", None)
    assert run.duration
    assert files(settings) == []


@pytest.mark.parametrize(("boot", "note"), [("ours", spool.LOST), ("00000000", spool.WENT_OFF)])
def test_a_run_that_nobody_will_tell_more_of_is_lost(settings, left, boot, note):
    if boot == "ours":
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    told = {"task": str(left.task.id), "by": "cron", "started": 1.7e9, "boot": boot}
    # The numbers are used by others: this process, and one that is as old as the recorder would be.
    told.update(pid=os.getpid(), job=os.getppid(), ticks=10**9)
    name = f"{left.task.id}-1700000000000000000-{os.getpid()}"
    write(settings, "start", told, name)
    write(settings, "head", b"so far", name)
    spool.collect(settings)
    run = only(settings)
    assert (run.state, run.note, run.ended_at) == ("failed", note, None)
    assert history.output(settings, run.id) == b"so far"
    assert tasks.get(settings, left.task.id).status == "failed"
    assert files(settings) == []


def test_what_a_power_cut_left_half_written_is_lost_and_nothing_worse(settings, left):
    contents = (b"", b'{"task": "1", "sta', b"[]", b"\xff\x00")
    for number, content in enumerate(contents):
        for kind in ("start", "json"):
            name = f"{left.task.id}-170000000{number}000000000-{kind == 'json':d}"
            write(settings, kind, content, name)
    left.run("true")
    assert spool.collect(settings) == 9
    newest, *lost = history.runs(settings)
    assert newest.state == "success"
    assert {run.note for run in lost} == {spool.WENT_OFF}
    assert [run.started_at.timestamp() for run in lost[::2]] == [1.7e9 + n for n in (3, 2, 1, 0)]
    assert files(settings) == []


def test_an_end_without_a_start_is_taken_in(settings, left):
    left.run("exit 4")
    next(settings.spool.glob("*.start")).unlink()
    spool.collect(settings)
    assert only(settings).exit_code == 4


def test_what_is_not_ours_is_left_alone(settings, left):
    for name in ("notes.txt", "x.json", "1-2.start", "1-2-3-4.json", "7.lock"):
        write(settings, name.partition(".")[2], b"{}", name.partition(".")[0])
    before = files(settings)
    assert spool.collect(settings) == 0
    spool.sweep(settings)
    assert files(settings) == before


def test_parts_of_runs_that_belong_to_none_go_after_a_day(settings, left):
    for name in ("7-1-2.tail", "7-1-2.start.new", "7-5-6.head"):
        file = write(settings, name.partition(".")[2], b"x", name.partition(".")[0])
        if not name.startswith("7-5"):
            os.utime(file, (time.time() - 90_000,) * 2)
    spool.sweep(settings)
    assert files(settings) == ["7-5-6.head"]


def test_runs_of_a_task_that_was_deleted_for_good_go(settings, left):
    left.run("true")
    with database.session(settings) as session:
        session.execute(text("delete from tasks"))
    assert spool.collect(settings) == 1
    assert files(settings) == []
    assert history.runs(settings) == []


def test_two_that_collect_at_once_take_in_each_run_once(settings, left):
    running = [left.start(f"echo {number}") for number in range(12)]
    for process in running:
        process.communicate()
    problems = []

    def collect():
        try:
            spool.collect(settings)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=collect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(history.runs(settings)) == 12
    assert all(run.state == "success" and run.bytes for run in history.runs(settings))
    assert files(settings) == []


def test_files_go_only_after_the_commit(settings, left):
    left.run("true")
    before = files(settings)
    with database.administer(settings) as session:
        session.execute(
            text(
                "create function no() returns trigger language plpgsql as "
                "$$ begin raise exception 'no'; end $$"
            )
        )
        session.execute(
            text(
                "create constraint trigger late after insert on runs "
                "deferrable initially deferred for each row execute function no()"
            )
        )
    with pytest.raises(Exception, match="no"):
        spool.collect(settings)
    assert files(settings) == before
    with database.administer(settings) as session:
        session.execute(text("drop trigger late on runs"))
    spool.collect(settings)
    assert only(settings).state == "success"


def test_a_run_that_was_taken_in_is_not_taken_in_again_if_its_files_stay(settings, left):
    left.run("true")
    kept = {file: file.read_bytes() for file in settings.spool.iterdir()}
    spool.collect(settings)
    first = only(settings)
    for file, data in kept.items():
        file.write_bytes(data)
    next(settings.spool.glob("*.json")).unlink()  # nor does it seem lost
    spool.collect(settings)
    assert only(settings) == first
    assert files(settings) == []


def test_a_clock_that_was_set_during_a_run_does_not_make_it_long(settings, left):
    """A machine without a clock of its own starts in the past, and jumps when it has a network."""
    now = clock.now().timestamp()
    told = {"task": str(left.task.id), "started": now - 9e6, "ended": now, "seconds": 30.0}
    write(settings, "json", {**told, "exit_code": 0}, f"{left.task.id}-1-99")
    spool.collect(settings)
    assert only(settings).duration == timedelta(seconds=30)


def test_a_last_run_in_the_future_does_not_stand_for_ever(settings, left):
    with database.session(settings) as session:
        session.execute(text("update tasks set last_run = now() + interval '9 years'"))
    left.run("true")
    spool.collect(settings)
    task = tasks.get(settings, left.task.id)
    assert (task.status, task.last_run) == ("success", only(settings).started_at)


# --- How much is kept ---


def fill(settings, task, count, size, days_apart=1.0):
    now = clock.now()
    with database.session(settings) as session:
        rows = [
            {
                "crontab": store.own_crontab(session),
                "task": task,
                "name": f"{task}-{number}-1",
                "source": "recorded",
                "started_at": now - timedelta(days=days_apart * number),
                "ended_at": now - timedelta(days=days_apart * number),
                "output": b"x" * size,
                "bytes": size,
            }
            for number in range(count)
        ]
        session.execute(insert(RunRow), rows)


def test_old_runs_are_forgotten_but_not_one_that_goes_on(settings, left, monkeypatch):
    monkeypatch.setattr(retention, "_DELETED_AT_ONCE", 3)
    fill(settings, left.task.id, 12, 1)
    with database.session(settings) as session:
        session.execute(text("update runs set ended_at = null where name like '%-11-1'"))
    background.prune(settings, Preferences(keep_runs_days=4))
    assert [run.name.split("-")[1] for run in history.runs(settings)] == ["0", "1", "2", "3", "11"]


@pytest.mark.parametrize(("megabytes", "kept"), [(0, 0), (1, 4), (200, 10)])
def test_the_oldest_outputs_are_forgotten_and_their_runs_stay(
    settings, left, monkeypatch, megabytes, kept
):
    monkeypatch.setattr(retention, "_READ_AT_ONCE", 3)
    fill(settings, left.task.id, 10, 250_000)
    for _ in range(2):
        retention.prune(settings, 90, megabytes)
        found = history.runs(settings)
        assert [run.has_output for run in found] == [True] * kept + [False] * (10 - kept)
        assert {run.bytes for run in found} == {250_000}


def test_a_spool_that_cannot_be_read_is_said(settings, left):
    settings.spool.write_text("")
    with pytest.raises(ExecutionError, match=r"spool cannot be read: Not a directory\."):
        spool.collect(settings)
