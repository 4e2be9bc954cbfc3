"""The recorder's contract: a recorded job behaves like an unrecorded job. The tests run it as cron
does, with the system's Python and without the rest of PiTasker."""

import fcntl
import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pitasker_core.runs import recorder, records
from tests.helpers.processes import is_there
from tests.helpers.recording import ENVIRONMENT, PYTHON, Recorder
from tests.helpers.waiting import patience, until

pytestmark = pytest.mark.slow

HUGE = 100_000_000


@pytest.fixture
def job(tmp_path, request):
    """A recorder."""
    return Recorder(tmp_path, measured=not request.node.get_closest_marker("unmeasured"))


def pump_of(recorder_pid, job_pid):
    children = Path(f"/proc/{recorder_pid}/task/{recorder_pid}/children")
    until(lambda: len(children.read_text().split()) == 2)
    return next(int(pid) for pid in children.read_text().split() if int(pid) != job_pid)


# --- How it ends ---


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", 0),
        ("false", 1),
        ("exit 3", 3),
        ("/etc/passwd", 126),
        ("/no/such/program", 127),
        ("exit 255", 255),
        ("kill -TERM $$", -15),
        ("kill -KILL $$", -9),
        ("kill -SEGV $$", -11),
        ("kill -PIPE $$", -13),
        ("kill -QUIT $$", -3),
    ],
)
def test_who_waits_sees_how_the_job_ended_and_so_does_the_record(job, command, code):
    plain = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=False)
    done = job.run(command)
    assert plain.returncode == code
    assert (done.returncode, done.stdout, done.stderr) == (code, plain.stdout, plain.stderr)
    record = job.record()
    assert (record["exit_code"], record["signal"]) == ((code, None) if code >= 0 else (None, -code))
    assert record["ended"] >= record["started"]
    assert not list(job.spool.glob("*.new"))


@pytest.mark.parametrize(
    ("shell", "code", "words"),
    [("/no/sh", 127, "No such file or directory"), ("/etc/passwd", 126, "Permission denied")],
)
def test_a_shell_that_cannot_be_started_is_named(job, shell, code, words):
    done = job.run("true", env={**ENVIRONMENT, "SHELL": shell})
    assert done.returncode == code
    assert done.stderr.decode() == f"{shell}: {words}\n"
    assert job.record()["exit_code"] == code


@pytest.mark.parametrize(
    "words", [[], ["7"], ["x", "true"], ["--no", "7", "true"], ["--timeout", "1s", "7", "true"]]
)
def test_words_it_does_not_know_are_refused_and_nothing_is_run(job, words):
    done = subprocess.run([*PYTHON, str(job.file), *words], capture_output=True, check=False)
    assert done.returncode == 64
    assert done.stderr.startswith(b"usage: ")


def test_a_command_may_be_of_several_lines_and_not_of_ascii(job):
    command = "printf '%s'  'ä\n\"x\"' \\\\"
    done = subprocess.run(
        [*map(os.fsencode, job.words("")[:-1]), command.encode("latin-1")],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert done.stdout == 'ä\n"x"\\'.encode("latin-1")


def test_the_start_is_told_with_the_processes(job):
    running = job.start("echo begun; sleep 60")
    running.stdout.readline()
    assert job.job()
    record = job.record("start")
    assert (record["task"], record["by"]) == ("7", "cron")
    assert (record["pid"], record["ppid"]) == (running.pid, os.getpid())
    assert os.getpgid(record["job"]) == record["job"]
    assert records.is_alive(record)
    other = {**record, "ticks": record["ticks"] + 10**9}  # with the same process id
    assert not records.is_alive(other)
    running.terminate()
    running.wait()
    assert not records.is_alive(record)


# --- Signals ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_the_job_and_what_it_started(job, number):
    running = job.start("sleep 60 >&- 2>&- & echo $!; wait")
    child = int(running.stdout.readline())
    job.job()
    running.send_signal(number)
    assert running.wait(patience()) == -number
    # A shell's background children ignore an interrupt from the keyboard (POSIX).
    if number == signal.SIGINT:
        os.kill(child, signal.SIGKILL)
    until(lambda: not is_there(child))
    assert job.record()["signal"] == number


def test_a_job_may_mind_a_signal_or_not(job):
    running = job.start("trap 'echo caught; exit 4' TERM; echo begun; while :; do sleep .05; done")
    running.stdout.readline()
    running.terminate()
    assert running.communicate()[0] == b"caught\n"
    assert running.returncode == 4


# --- What it reads and prints ---


def test_standard_input_passes(job):
    data = bytes(range(256)) * 1000
    assert job.run("cat", input=data).stdout == data


def test_input_that_is_never_read_does_no_harm(job):
    assert job.run("exec <&-; echo done", input=b"x" * 1_000_000).stdout == b"done\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_is_closed_is_closed_for_the_job(job, tmp_path, closed):
    listing = f"ls -l /proc/self/fd > {tmp_path}/%s; exit 5"
    for which, words in (
        ("plain", ["/bin/sh", "-c", listing % "plain"]),
        ("recorded", job.words(listing % "recorded")),
    ):
        shell = ["/bin/sh", "-c", f'"$@" {closed}', "sh", *words]
        assert subprocess.run(shell, env=ENVIRONMENT, check=False).returncode == 5, which
    plain, recorded = (
        [line.split(" -> ")[0].split()[-1] for line in (tmp_path / which).open() if "->" in line]
        for which in ("plain", "recorded")
    )
    assert plain == recorded


def test_output_and_errors_keep_their_order_in_one_file(job):
    command = "for n in 1 2 3 4 5 6 7 8 9; do echo out $n; echo err $n >&2; done"
    expected = b"".join(b"out %d\nerr %d\n" % (n, n) for n in range(1, 10))
    assert (
        job.run(command, capture_output=False, stdout=subprocess.PIPE, stderr=-2).stdout == expected
    )
    assert job.printed() == (expected, len(expected))


def test_output_and_errors_are_kept_apart_where_they_were(job):
    done = job.run("echo out; echo err >&2")
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    assert sorted(job.printed()[0].splitlines()) == [b"err", b"out"]


def test_bytes_of_all_kinds_pass_and_are_kept_as_they_are(job):
    data = bytes(range(256)) * 300  # more than the limit of the head
    assert job.run("cat", input=data).stdout == data
    assert job.printed() == (data, len(data))


@pytest.mark.unmeasured
def test_a_flood_passes_in_full_quickly_and_its_head_and_tail_are_kept(job):
    command = f"{{ echo first; yes | head -c {HUGE}; echo last; }}"
    plain = ["/bin/sh", "-c", f"{command} | sha256sum"]
    expected = subprocess.run(plain, capture_output=True, check=True).stdout
    ours = "$PPID $(cat /proc/$PPID/task/$PPID/children)"
    peak = f"for p in {ours}; do grep VmHWM /proc/$p/status; done >{job.home}/peak 2>&-"
    start = time.monotonic()
    with job.start(f"{command}; {peak}") as running:
        checksum = subprocess.run(
            ["sha256sum"], stdin=running.stdout, capture_output=True, check=True
        )
    assert running.returncode == 0
    assert checksum.stdout == expected
    assert time.monotonic() - start < 20
    peaks = [int(line.split()[1]) for line in (job.home / "peak").read_text().splitlines()]
    assert len(peaks) >= 2
    assert max(peaks) < 20_000  # kB
    output, count = job.printed()
    cut = HUGE + 11 - recorder.HEAD - recorder.TAIL
    assert count == HUGE + 11
    assert output.startswith(b"first\ny\n")
    assert output.endswith(b"y\nlast\n")
    assert b"\n... %d bytes are left out here ...\n" % cut in output
    assert sum(file.stat().st_size for file in job.spool.iterdir()) < 140_000


@pytest.mark.parametrize(
    "extra", [0, 1, 1000, recorder.TAIL - 1, recorder.TAIL, 3 * recorder.TAIL + 5]
)
def test_the_tail_is_what_came_last_whatever_its_length(job, extra):
    data = os.urandom(recorder.HEAD + extra)
    job.run("dd bs=1000 status=none", input=data)
    output, count = job.printed()
    assert count == len(data)
    assert output[: recorder.HEAD] == data[: recorder.HEAD]
    last = min(extra, recorder.TAIL)
    assert output[len(output) - last :] == data[len(data) - last :]
    assert (b"are left out here" in output) == (extra > recorder.TAIL)


def test_output_can_be_read_while_it_runs(job):
    running = job.start("echo begun; sleep 60")
    until(lambda: [file for file in job.spool.glob("*.head") if file.read_bytes() == b"begun\n"])
    running.terminate()
    running.wait()


def test_a_job_that_closes_its_output_is_waited_for(job):
    done = job.run("echo out; exec >&- 2>&-; sleep .3; exit 6")
    assert (done.returncode, done.stdout) == (6, b"out\n")
    assert job.record()["seconds"] >= 0.3


@pytest.mark.parametrize("recorder_is", ["there", "killed"])
def test_what_is_left_running_is_waited_for_but_the_record_ends_with_the_job(job, recorder_is):
    late = "(while [ ! -e go ]; do sleep .05; done; echo late) & echo begun; exit 3"
    running = job.start(late, "--no-overlap", cwd=job.home)
    until(lambda: list(job.spool.glob("*.json")))
    assert running.poll() is None
    assert job.record()["seconds"] < 1.4
    assert job.printed()[0] == b"begun\n"
    for file in job.spool.iterdir():  # the record is collected
        file.unlink()
    assert job.run("exit 4", "--no-overlap").returncode == 4  # the next run may start
    if recorder_is == "killed":
        running.kill()
        running.wait()
    (job.home / "go").touch()
    assert running.communicate()[0] == b"begun\nlate\n"
    assert running.returncode == (3 if recorder_is == "there" else -signal.SIGKILL)
    assert job.record()["exit_code"] == 4  # the late record left nothing


def test_a_reader_that_goes_ends_the_job_as_without_us(job):
    running = job.start("yes; echo $? >&2", stderr=subprocess.PIPE)
    running.stdout.read(10)
    running.stdout.close()
    assert running.stderr.read() == b"141\n"
    assert running.wait(patience()) == 0


def test_a_full_disk_where_the_output_goes_is_not_a_reader_that_goes(job):
    with Path("/dev/full").open("wb") as full:
        assert (
            job.run(
                "echo 1; sleep .1; echo 2; exit 3", capture_output=False, stdout=full
            ).returncode
            == 3
        )
    assert job.printed() == (b"1\n2\n", 4)


def test_a_reader_that_does_not_want_to_wait_gets_everything(job):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    running = job.start("head -c 300000 /dev/zero", stdout=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        time.sleep(0.2)
        assert len(file.read()) == 300_000
    assert running.wait() == 0


# --- What the job finds ---


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"TZ": "Asia/Tokyo", "LANG": "C", "ODD": "a\nb", "EMPTY": ""},
        {"LC_ALL": "POSIX"},
        {"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8", "PYTHONHOME": "/nowhere", "BYTES": "\udcff"},
    ],
)
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash", "/usr/bin/dash"])
def test_the_environment_passes_exactly(job, extra, shell):
    environment = {**ENVIRONMENT, "SHELL": shell, **extra}
    command = "exec env -0"
    plain = subprocess.run([shell, "-c", command], env=environment, capture_output=True, check=True)
    assert job.run(command, env=environment).stdout == plain.stdout
    assert job.run("echo $0").stdout == b"/bin/sh\n"


def test_folder_mask_niceness_and_limits_pass(job, tmp_path):
    def prepare():
        os.umask(0o027)
        os.nice(3)
        resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))

    command = "pwd; umask; nice; ulimit -n"
    done = job.run(command, cwd=tmp_path, preexec_fn=prepare)
    assert done.stdout.decode().split() == [str(tmp_path), "0027", str(os.nice(0) + 3), "99"]


def test_the_job_gets_no_handle_of_ours_and_leaves_no_zombie(job):
    done = job.run("ls -l /proc/self/fd; ps -o stat= --ppid $PPID", "--no-overlap", stdin=-3)
    listing = done.stdout.decode()
    assert len([line for line in listing.splitlines() if " -> " in line]) == 4  # and ls's folder
    assert "Z" not in listing.splitlines()[-1]


def test_signals_that_were_ignored_still_are_and_no_other(job):
    def prepare():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    masks = "grep -E 'Sig(Blk|Ign)' /proc/self/status"
    plain = subprocess.run(
        ["/bin/sh", "-c", masks], capture_output=True, check=True, preexec_fn=prepare
    )
    done = job.run(masks, preexec_fn=prepare)
    assert done.stdout == plain.stdout
    assert job.record()["exit_code"] == 0


# --- Time-out and overlap ---


@pytest.mark.parametrize(
    "command",
    [
        "sleep 60 & echo $!; wait",
        "trap '' TERM; sleep 60 & echo $!; wait",  # SIGTERM does not end it
        "(trap '' TERM; exec sleep 60) & echo $!; wait",  # only its child
        "trap 'exit 0' TERM; sleep 60 & echo $!; wait",  # reports success
    ],
)
def test_what_takes_too_long_is_ended_with_all_it_started(job, command):
    job.set("KILL_AFTER", 0.4)
    done = job.run(command, "--timeout", "0.3")
    assert done.returncode == recorder.TIMED_OUT
    assert not is_there(int(done.stdout))
    record = job.record()
    assert (record["timed_out"], record["exit_code"]) == (True, recorder.TIMED_OUT)
    assert record["seconds"] < 5


def test_what_is_quick_enough_is_not_ended(job):
    assert job.run("exit 3", "--timeout", "5").returncode == 3
    assert job.record()["timed_out"] is False


def test_a_session_of_its_own_is_out_of_reach(job):
    job.set("KILL_AFTER", 0.2)
    done = job.run("setsid sleep 60 >&- 2>&- & echo $!; wait", "--timeout", "0.3")
    assert done.returncode == recorder.TIMED_OUT
    assert is_there(int(done.stdout))
    os.kill(int(done.stdout), signal.SIGKILL)


def test_a_second_run_does_not_start_while_the_first_goes_on(job):
    first = job.start("echo begun; sleep 60", "--no-overlap")
    first.stdout.readline()
    second = job.run("echo never", "--no-overlap")
    assert (second.returncode, second.stdout, second.stderr) == (recorder.OVERLAPS, b"", b"")
    record = job.record()
    assert (record["overlapped"], record["exit_code"]) == (True, recorder.OVERLAPS)
    assert job.run("echo allowed").stdout == b"allowed\n"  # without the option
    first.terminate()
    first.wait()
    assert job.run("echo again", "--no-overlap").stdout == b"again\n"


# --- When something is killed ---


@pytest.mark.parametrize("quiet", ["", "exec >/dev/null 2>&1;"])
def test_a_recorder_that_is_killed_leaves_the_job_its_output_and_its_lock(job, quiet):
    command = f"echo begun; {quiet} while [ ! -e {job.home}/go ]; do sleep .05; done; echo done"
    running = job.start(command, "--no-overlap")
    running.stdout.readline()
    pid = job.job()
    pump_of(running.pid, pid)
    running.kill()
    running.wait()
    assert is_there(pid)
    assert job.run("true", "--no-overlap").returncode == recorder.OVERLAPS
    for file in job.spool.glob("*.json"):
        file.unlink()
    (job.home / "go").touch()
    assert running.stdout.read() == (b"" if quiet else b"done\n")
    until(lambda: list(job.spool.glob("*.json")))
    record = job.record()
    assert (record["lost"], record["exit_code"], record["signal"]) == (True, None, None)
    assert job.run("true", "--no-overlap").returncode == 0


def test_a_pump_that_is_killed_is_replaced(job):
    size = recorder.HEAD + 10
    command = f"echo begun; read x; head -c {size} /dev/zero; echo more; read x; echo end"
    running = job.start(command, stdin=subprocess.PIPE)
    running.stdout.readline()
    pid = job.job()
    first = pump_of(running.pid, pid)
    until(lambda: list(job.spool.glob("*.head")))
    os.kill(first, signal.SIGKILL)
    running.stdin.write(b"\n")
    running.stdin.flush()
    assert running.stdout.read(size + 5)[-5:] == b"more\n"
    second = pump_of(running.pid, pid)
    (head,) = job.spool.glob("*.head")
    until(lambda: records.printed(head.with_suffix(""))[1] == 6 + size + 5)
    os.kill(second, signal.SIGKILL)
    assert running.communicate(b"\n")[0] == b"end\n"
    assert running.returncode == 0
    expected = b"begun\n" + bytes(size) + b"more\nend\n"
    assert job.printed() == (expected, len(expected))


# --- When there is no room ---


@pytest.fixture
def full_disk(job):
    """The recorder's spool on a full disk."""
    job.spool.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k"]
    subprocess.run(["mount", *options, "none", str(job.spool)], check=True)
    with suppress(OSError), (job.spool / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield job.spool
    subprocess.run(["umount", str(job.spool)], check=True)


def test_a_full_disk_costs_the_record_and_not_the_job(job, full_disk):
    data = os.urandom(300_000)
    job.set("KILL_AFTER", 0.2)
    done = job.run("cat; exit 3", "--no-overlap", input=data)
    assert (done.returncode, done.stdout, done.stderr) == (3, data, b"")
    assert job.run("sleep 60", "--timeout", "0.2").returncode == recorder.TIMED_OUT
    assert not list(full_disk.glob("*.new"))
    # The disk has space again before the end, so at least the end is recorded.
    assert job.run(f"rm {full_disk}/ballast; exit 4").returncode == 4
    assert job.record()["exit_code"] == 4


@pytest.mark.parametrize("trouble", ["missing", "a file"])
def test_without_a_spool_the_job_runs(job, trouble):
    if trouble == "a file":
        job.spool.write_text("")
    data = os.urandom(200_000)
    done = job.run("cat; exit 3", "--no-overlap", input=data)
    assert (done.returncode, done.stdout, done.stderr) == (3, data, b"")
    if trouble == "missing":
        assert job.record()["exit_code"] == 3  # the spool is created


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("limit", "value"), [(resource.RLIMIT_FSIZE, 1000), (resource.RLIMIT_NOFILE, 4)]
)
def test_a_limit_costs_the_record_and_not_the_job(job, limit, value):
    def prepare():
        resource.setrlimit(limit, (value, value))

    done = job.run("head -c 3000 /dev/zero; exit 3", preexec_fn=prepare)
    assert (done.returncode, done.stdout, done.stderr) == (3, bytes(3000), b"")


def test_when_nobody_takes_the_records_in_the_oldest_go(job):
    job.set("RECORDS", 3)
    for number in range(6):
        job.run(f"echo {number}")
    (job.spool / "foreign.json").write_text("{}")
    job.run("echo 6")
    heads = sorted(file.read_bytes() for file in job.spool.glob("*.head"))
    assert heads == [b"4\n", b"5\n", b"6\n"]


def test_the_lock_is_only_a_lock(job):
    """A lock file left by a power cut does not prevent starts."""
    job.run("true", "--no-overlap")
    with (job.spool / "7.lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert job.run("true", "--no-overlap").returncode == recorder.OVERLAPS
    assert job.run("true", "--no-overlap").returncode == 0
