"""Recorders' files become history: each run once, in every state of its files."""

import json
import os
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, insert, text

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import ExecutionError
from pitasker_core.database.preferences import Preferences
from pitasker_core.database.tables import RunRow
from pitasker_core.runs import history, retention, spool
from pitasker_core.runs.recorder import FORGOTTEN
from pitasker_core.server import pruning
from pitasker_core.sync import store
from tests.helpers.examples import create
from tests.helpers.recording import Recorder
from tests.helpers.waiting import until


@pytest.fixture
def left(environment):
    """A task, and a recorder that uses PiTasker's spool."""
    environment.make_home()
    made = Recorder(environment.home, measured=False)  # it must use this spool
    made.task = create(environment)
    made.words = lambda command, *options: [
        *("/usr/bin/python3", "-I", "-S", str(made.file)),
        *(*options, str(made.task.id), command),
    ]
    return made


TIMED_OUT = ("timed out", "failed", "recorded")


def files(environment):
    return sorted(file.name for file in environment.spool.iterdir() if file.suffix != ".lock")


def only(environment):
    (run,) = history.runs(environment)
    return run


def write(environment, kind, record, name="{task}-1700000000000000000-99"):
    environment.spool.mkdir(exist_ok=True)
    file = environment.spool / f"{name}.{kind}"
    file.write_bytes(record if isinstance(record, bytes) else json.dumps(record).encode())
    return file


def test_an_ended_run_is_taken_in_with_all_there_is_and_its_files_go(environment, left):
    left.run("echo out; echo err >&2; exit 3")
    assert spool.collect(environment) == 1
    run = only(environment)
    assert (run.task, run.state, run.exit_code, run.source) == (
        left.task.id,
        "failed",
        3,
        "recorded",
    )
    assert run.bytes == 8
    assert sorted(history.output(environment, run.id).split()) == [b"err", b"out"]
    assert timedelta(0) < run.duration < timedelta(seconds=5)
    assert files(environment) == []
    task = tasks.get(environment, left.task.id)
    assert (task.status, task.last_run) == ("failed", run.started_at)
    assert spool.collect(environment) == 0


def test_what_a_recorder_tells_is_said(environment, left):
    left.set("KILL_AFTER", 0.2)
    cases = [
        (left.run("sleep 9", "--timeout", "0.1"), *TIMED_OUT),
        (left.run("trap 'exit 0' TERM; sleep 9 & wait", "--timeout", "0.1"), *TIMED_OUT),
        (left.run("kill -9 $$"), "", "failed", "recorded"),
        (left.run("true", "--by", "hand"), "", "success", "by hand"),
    ]
    spool.collect(environment)
    results = [(run.note, run.state, run.source) for run in reversed(history.runs(environment))]
    assert results == [tuple(expected) for _, *expected in cases]


def test_a_run_that_was_not_to_start_beside_another_is_missed_and_changes_nothing(
    environment, left
):
    long = subprocess.Popen(left.words("sleep 60", "--no-overlap"))
    until(lambda: any(file.suffix == ".start" for file in environment.spool.glob("*")))
    until(
        lambda: (
            spool.collect(environment) and tasks.get(environment, left.task.id).status == "running"
        )
    )
    left.run("true", "--no-overlap")
    spool.collect(environment)
    newest = history.runs(environment)[0]
    assert (newest.state, newest.result) == (
        "missed",
        "missed: the previous run was still going on",
    )
    assert tasks.get(environment, left.task.id).status == "running"
    with database.session(environment) as session:
        assert session.scalars(text("select kind from notices")).all() == []
    long.terminate()
    long.wait()


def test_a_time_of_which_the_oldest_records_went_is_remembered(environment, left):
    left.set("RECORDS", 2)
    starts = []
    for _ in range(5):
        left.run("true")
        starts += {file.name for file in environment.spool.glob("*.json")} - set(starts)
    spool.collect(environment)
    spool.collect(environment)
    assert len(history.runs(environment)) == 2
    with database.session(environment) as session:
        ((first, last),) = spool.holes(session, store.own_crontab(session))
    assert int(first.timestamp()) == int(starts[0].split("-")[1]) // 10**9
    assert last.timestamp() == pytest.approx(int(starts[3].split("-")[1]) / 10**9, abs=1e-5)
    assert files(environment) == []


def test_a_record_with_an_absurd_start_does_not_hide_that_others_went(environment, left):
    number = left.task.id
    environment.spool.mkdir()
    first, last = 1_700_000_000, 1_700_000_900
    (environment.spool / FORGOTTEN).write_text(f"{number}-{first}000000000-1")
    ended = {"exit_code": 0, "ended": last + 1}
    for began, start in ((f"{last}000000000", last), ("1700000950000000000", 1e300), ("5", 5e-9)):
        write(environment, "json", {"started": start, **ended}, f"{number}-{began}-2")
    spool.collect(environment)
    with database.session(environment) as session:
        ((begin, end),) = spool.holes(session, store.own_crontab(session))
    assert (begin.timestamp(), end.timestamp()) == (first, last)


def test_output_that_is_not_text_is_kept_as_it_is(environment, left):
    data = bytes(range(256)) * 4
    left.run("cat", input=data)
    spool.collect(environment)
    assert history.output(environment, only(environment).id) == data


def test_a_run_that_goes_on_is_written_once_and_shown_as_it_prints(environment, left):
    running = left.start("echo begun; read x; echo done", stdin=subprocess.PIPE)
    until(lambda: list(environment.spool.glob("*.head")))
    assert spool.collect(environment) == 1
    run = only(environment)
    assert (run.state, history.output(environment, run.id)) == ("running", b"begun\n")
    assert tasks.get(environment, left.task.id).status == "running"
    with database.session(environment) as session:
        version = text("select xmin::text from runs")
        before = session.scalar(version)
    spool.collect(environment)
    with database.session(environment) as session:
        assert session.scalar(version) == before
    running.communicate(b"\n")
    spool.collect(environment)
    assert only(environment).state == "success"
    assert history.output(environment, only(environment).id) == b"begun\ndone\n"
    assert files(environment) == []


def test_the_numbers_of_runs_have_no_gaps(environment, left):
    for _ in range(2):
        running = left.start("read x", stdin=subprocess.PIPE)
        until(lambda: spool.collect(environment))
        running.communicate(b"\n")
        spool.collect(environment)
    second, first = history.runs(environment)
    assert second.id == first.id + 1


def test_nothing_to_take_in_asks_the_database_nothing(environment, left):
    calls = []
    engine = database.connect(environment)
    event.listen(engine, "before_cursor_execute", lambda *words: calls.append(words[2]))
    assert spool.collect(environment) == 0  # without the folder
    environment.spool.mkdir()
    assert spool.collect(environment) == 0
    assert calls == []


def test_a_run_whose_recorder_was_killed_is_followed_to_its_end(environment, left):
    running = left.start("echo begun; while [ ! -e go ]; do sleep .02; done", cwd=environment.home)
    running.stdout.readline()
    left.job()
    until(lambda: list(environment.spool.glob("*.head")))  # so a pump runs
    running.kill()
    running.wait()
    spool.collect(environment)
    assert only(environment).state == "running"
    (environment.home / "go").touch()
    until(lambda: list(environment.spool.glob("*.json")))
    spool.collect(environment)
    run = only(environment)
    assert (run.note, run.state, run.exit_code) == (spool.NOBODY_SAW, "failed", None)
    assert run.duration
    assert files(environment) == []


@pytest.mark.parametrize(("boot", "note"), [("ours", spool.LOST), ("00000000", spool.WENT_OFF)])
def test_a_run_that_nobody_will_tell_more_of_is_lost(environment, left, boot, note):
    if boot == "ours":
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    record = {"task": str(left.task.id), "by": "cron", "started": 1.7e9, "boot": boot}
    # Others use these process ids: this process, and a process as old as the recorder.
    record.update(pid=os.getpid(), job=os.getppid(), ticks=10**9)
    name = f"{left.task.id}-1700000000000000000-{os.getpid()}"
    write(environment, "start", record, name)
    write(environment, "head", b"so far", name)
    spool.collect(environment)
    run = only(environment)
    assert (run.state, run.note, run.ended_at) == ("failed", note, None)
    assert history.output(environment, run.id) == b"so far"
    assert tasks.get(environment, left.task.id).status == "failed"
    assert files(environment) == []


def test_what_a_power_cut_left_half_written_is_lost_and_nothing_worse(environment, left):
    contents = (b"", b'{"task": "1", "sta', b"[]", b"\xff\x00")
    for number, content in enumerate(contents):
        for kind in ("start", "json"):
            name = f"{left.task.id}-170000000{number}000000000-{kind == 'json':d}"
            write(environment, kind, content, name)
    left.run("true")
    assert spool.collect(environment) == 9
    newest, *lost = history.runs(environment)
    assert newest.state == "success"
    assert {run.note for run in lost} == {spool.WENT_OFF}
    assert [run.started_at.timestamp() for run in lost[::2]] == [1.7e9 + n for n in (3, 2, 1, 0)]
    assert files(environment) == []


def test_an_end_without_a_start_is_taken_in(environment, left):
    left.run("exit 4")
    next(environment.spool.glob("*.start")).unlink()
    spool.collect(environment)
    assert only(environment).exit_code == 4


def test_what_is_not_ours_is_left_alone(environment, left):
    for name in ("notes.txt", "x.json", "1-2.start", "1-2-3-4.json", "7.lock"):
        write(environment, name.partition(".")[2], b"{}", name.partition(".")[0])
    before = files(environment)
    assert spool.collect(environment) == 0
    spool.sweep(environment)
    assert files(environment) == before


def test_parts_of_runs_that_belong_to_none_go_after_a_day(environment, left):
    for name in ("7-1-2.tail", "7-1-2.start.new", "7-5-6.head"):
        file = write(environment, name.partition(".")[2], b"x", name.partition(".")[0])
        if not name.startswith("7-5"):
            os.utime(file, (time.time() - 90_000,) * 2)
    spool.sweep(environment)
    assert files(environment) == ["7-5-6.head"]


def test_runs_of_a_task_that_was_deleted_for_good_go(environment, left):
    left.run("true")
    with database.session(environment) as session:
        session.execute(text("delete from tasks"))
    assert spool.collect(environment) == 1
    assert files(environment) == []
    assert history.runs(environment) == []


def test_two_that_collect_at_once_take_in_each_run_once(environment, left):
    running = [left.start(f"echo {number}") for number in range(12)]
    for process in running:
        process.communicate()
    problems = []

    def collect():
        try:
            spool.collect(environment)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=collect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(history.runs(environment)) == 12
    assert all(run.state == "success" and run.bytes for run in history.runs(environment))
    assert files(environment) == []


def test_files_go_only_after_the_commit(environment, left):
    left.run("true")
    before = files(environment)
    with database.administer(environment) as session:
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
        spool.collect(environment)
    assert files(environment) == before
    with database.administer(environment) as session:
        session.execute(text("drop trigger late on runs"))
    spool.collect(environment)
    assert only(environment).state == "success"


def test_a_run_that_was_taken_in_is_not_taken_in_again_if_its_files_stay(environment, left):
    left.run("true")
    contents = {file: file.read_bytes() for file in environment.spool.iterdir()}
    spool.collect(environment)
    first = only(environment)
    for file, data in contents.items():
        file.write_bytes(data)
    next(environment.spool.glob("*.json")).unlink()  # and it does not count as lost
    spool.collect(environment)
    assert only(environment) == first
    assert files(environment) == []


def test_a_clock_that_was_set_during_a_run_does_not_make_it_long(environment, left):
    """A machine without a battery clock starts in the past, and jumps when it has a network."""
    now = clock.now().timestamp()
    record = {"task": str(left.task.id), "started": now - 9e6, "ended": now, "seconds": 30.0}
    write(environment, "json", {**record, "exit_code": 0}, f"{left.task.id}-1-99")
    spool.collect(environment)
    assert only(environment).duration == timedelta(seconds=30)


def test_a_last_run_in_the_future_does_not_stand_for_ever(environment, left):
    with database.session(environment) as session:
        session.execute(text("update tasks set last_run = now() + interval '9 years'"))
    left.run("true")
    spool.collect(environment)
    task = tasks.get(environment, left.task.id)
    assert (task.status, task.last_run) == ("success", only(environment).started_at)


# --- How much is kept ---


def fill(environment, task, count, size, days_apart=1.0):
    now = clock.now()
    with database.session(environment) as session:
        rows = [
            {
                "crontab_row": store.own_crontab(session),
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


def test_old_runs_are_forgotten_but_not_one_that_goes_on(environment, left, monkeypatch):
    monkeypatch.setattr(retention, "_DELETED_AT_ONCE", 3)
    fill(environment, left.task.id, 12, 1)
    with database.session(environment) as session:
        session.execute(text("update runs set ended_at = null where name like '%-11-1'"))
    pruning.prune(environment, Preferences(keep_runs_days=4))
    assert [run.name.split("-")[1] for run in history.runs(environment)] == [
        "0",
        "1",
        "2",
        "3",
        "11",
    ]


@pytest.mark.parametrize(("megabytes", "outputs"), [(0, 0), (1, 4), (200, 10)])
def test_the_oldest_outputs_are_forgotten_and_their_runs_stay(
    environment, left, monkeypatch, megabytes, outputs
):
    monkeypatch.setattr(retention, "_READ_AT_ONCE", 3)
    fill(environment, left.task.id, 10, 250_000)
    for _ in range(2):
        retention.prune(environment, 90, megabytes)
        runs = history.runs(environment)
        assert [run.has_output for run in runs] == [True] * outputs + [False] * (10 - outputs)
        assert {run.bytes for run in runs} == {250_000}


def test_a_spool_that_cannot_be_read_is_said(environment, left):
    environment.spool.write_text("")
    with pytest.raises(ExecutionError, match=r"spool cannot be read: Not a directory\."):
        spool.collect(environment)
