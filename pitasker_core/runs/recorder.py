#!/usr/bin/python3 -IS
"""Run a command as cron would, and leave a record of what became of it.

    recorder [--timeout SECONDS] [--no-overlap] [--by WHO] TASK COMMAND

Copied to PiTasker's data folder and run by the system's Python, with the standard library alone: a
job depends on nothing else of PiTasker's, neither on its database nor on its environment. Whatever
goes wrong here, the job runs.

What the job prints goes on to where it would have gone, so that cron's mail still arrives. Who
waits for the job sees its exit code, or the signal that ended it; 124 when it took too long, and 75
when it did not start because the last run goes on. Beside this file, in `spool/`, lie of each run

    NAME.start   one JSON object, written when the job has started
    NAME.head    what it printed first, up to a limit
    NAME.tail    what it printed last, when that is not all in the head
    NAME.json    one JSON object, written when it has ended

Two processes share the work: one waits for the job, the other, the pump, passes its output on.
Should either be killed the other goes on, and the job does not notice: a new pump is started, and a
pump left alone writes the end of the record, without the exit code, that nobody knows then.

The job is a process group of its own, which signals and the time-out reach as a whole. What left
it, by `setsid` for example, is out of reach. What the job leaves running with its output open is
waited for, as cron does; the record ends with the job.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False  # the module `typing` would take a fifth of the time that this may
if TYPE_CHECKING:
    from typing import Any, NoReturn

HEAD = 64 * 1024
"""Bytes of output that are kept from its beginning."""

TAIL = 64 * 1024
"""Bytes that are kept from its end."""

RECORDS = 500
"""As many runs may wait in the spool: when nobody takes them in, the oldest go."""

FORGOTTEN = "forgotten"
"""The file in the spool that has the name of the first run that went so."""

KILL_AFTER = 10.0
"""Seconds between the polite end of a job that took too long and the other one."""

OVERLAPS = 75
"""The exit code of a job that did not start because it is still running (sysexits: try later)."""

TIMED_OUT = 124
"""The exit code of a job that was ended because it took too long, as timeout(1) has it."""

CHUNK = 64 * 1024
HEADER = b"%20d %20d\n"
"""What a tail begins with: the bytes printed in all, and those that the head had no room for."""

KINDS = ("start", "head", "tail", "json")
BROKEN = 10
"""The exit code of a pump when nobody reads the first stream any more; one more for the second."""

_AWAITED = {
    signal.SIGCHLD,
    # These are meant for the job, and sent on: whoever looks for it finds us first.
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
}


def main() -> NoReturn:
    """Run the command; ends with its exit code, or by the signal that ended it."""
    options, task, command = _arguments(sys.argv[1:])
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _restore_environment()
    outputs = _open_outputs()
    shell = os.environ.get("SHELL") or "/bin/sh"
    record = _Record(task, options["by"])
    if options["no_overlap"] and not record.alone():
        record.end(exit_code=OVERLAPS, overlapped=True)
        os._exit(OVERLAPS)
    try:
        run = _Run(record, outputs, shell, command)
    except OSError:
        _become(shell, command, {})  # no process or handle to be had: without a record, then
    status = run.watch(options["timeout"])
    if record.timed_out:
        os._exit(TIMED_OUT)
    if os.WIFSIGNALED(status):
        _die_by(os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _arguments(words: list[str]) -> tuple[dict[str, Any], str, str]:
    options: dict[str, Any] = {"timeout": 0.0, "no_overlap": False, "by": "cron"}
    try:
        while words[0].startswith("--"):
            word = words.pop(0)
            if word == "--no-overlap":
                options["no_overlap"] = True
            else:
                options[{"--timeout": "timeout", "--by": "by"}[word]] = words.pop(0)
        options["timeout"] = float(options["timeout"])
        task, command = words
        if not (task.isdecimal() and task.isascii() and options["by"].isalpha()):
            raise ValueError
    except (IndexError, KeyError, ValueError):
        os.write(2, b"usage: recorder [--timeout SECONDS] [--no-overlap] [--by WHO] TASK COMMAND\n")
        os._exit(64)
    return options, task, command


def _restore_environment() -> None:
    """Take back LC_CTYPE, which Python sets where there is no other locale than C."""
    try:
        with open("/proc/self/environ", "rb") as file:
            if b"\0LC_CTYPE=" not in b"\0" + file.read():
                os.unsetenv("LC_CTYPE")
    except OSError:
        pass


def _open_outputs() -> list[int]:
    """Which of 1 and 2 are open. What is closed is held, so that no pipe takes its number, by
    something that the job will not have: Python opens all things so."""
    found = []
    for handle in range(3):
        try:
            os.fstat(handle)
            found.append(handle)
        except OSError:
            os.open("/dev/null", os.O_RDWR)
    return [handle for handle in found if handle]


class _Run:
    """A job that was started, and the pump that passes on what it prints."""

    def __init__(self, record: _Record, outputs: list[int], shell: str, command: str) -> None:
        """Start the job. Raises OSError when that was not possible."""
        self._record = record
        # In one pipe output and errors keep their order; in two they are kept apart.
        self._targets = {}
        ends: dict[int, int] = {}
        for handle in outputs:
            if ends and _same_file(*outputs):
                ends[handle] = ends[outputs[0]]
            else:
                reading, ends[handle] = os.pipe()
                self._targets[reading] = handle
        # From here on these signals wait until they are asked for: none comes at a bad moment.
        children = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        self._job = -1
        try:
            self._job = os.fork()
        finally:
            if self._job <= 0:
                signal.signal(signal.SIGCHLD, children)
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if self._job == 0:
            _become(shell, command, ends)
        _quietly(os.setpgid, self._job, self._job)  # as the job does: whoever comes first
        self._handle = _quietly(os.pidfd_open, self._job)
        for end in set(ends.values()):
            os.close(end)
        _quietly(lambda: os.dup2(os.open("/dev/null", os.O_RDONLY), 0))  # the job alone reads it
        record.start(self._job)
        self._ended: tuple[int, Any] | None = None
        self._pump = 0
        self._passed_on = False

    def watch(self, timeout: float) -> int:
        """Attend to the job until it and its output have ended; its wait status."""
        record = self._record
        due = time.monotonic() + timeout if timeout > 0 else float("inf")
        number = signal.SIGTERM
        while not self._ended or (record.timed_out and _kill(self._job, 0)):
            left = due - time.monotonic()
            if left > 0:
                # Nothing tells when a group has ended without its leader.
                self._attend(min(left, 0.1) if self._ended else left)
            else:
                record.timed_out = True
                _kill(self._job, number)
                number, due = signal.SIGKILL, time.monotonic() + KILL_AFTER
                if self._ended:
                    break
        record.stop()
        soon = time.monotonic() + 1.5  # the pump writes once a second
        while not self._passed_on and (left := soon - time.monotonic()) > 0:
            self._attend(left)
        status, usage = self._ended
        record.end(status=status, usage=usage)
        while not self._passed_on:
            self._attend(3600)
        return status

    def _attend(self, seconds: float) -> None:
        """Do what there is to do, waiting for it so long at the most."""
        if not self._pump and not self._passed_on:
            self._start_pump()
        seconds = min(seconds, 3600 if self._pump or self._passed_on else 0.5)
        news = signal.sigtimedwait(_AWAITED, seconds)
        if news and news.si_signo != signal.SIGCHLD:
            _kill(self._job, news.si_signo)
        while found := _quietly(os.wait3, os.WNOHANG):
            pid, status, usage = found
            if pid == 0:
                break
            if pid == self._job:
                self._ended = status, usage
            elif pid == self._pump:
                self._pump = 0
                code = os.waitstatus_to_exitcode(status)
                if code == 0:
                    self._passed_on = True
                elif code >= BROKEN:
                    # Then the job is not to find a reader either.
                    end = list(self._targets)[code - BROKEN]
                    del self._targets[end]
                    os.close(end)
                else:
                    time.sleep(0.1)  # killed, or in trouble: another is tried, in no hurry

    def _start_pump(self) -> None:
        recorder = os.getpid()
        try:
            self._pump = os.fork()
        except OSError:
            return  # tried again soon; the job waits with what it prints
        if self._pump == 0:
            _quietly(os.setpgid, 0, 0)  # who kills our group does not close the job's output
            code = _quietly(_pass_on, self._record, self._targets, self._handle, recorder)
            os._exit(1 if code is None else code)


def _become(shell: str, command: str, ends: dict[int, int]) -> NoReturn:
    """Turn into the job: a group of its own, its output into the pipes."""
    _quietly(os.setpgid, 0, 0)
    try:
        for handle, end in ends.items():
            os.dup2(end, handle)
        # Python ignores the first two, and who started us in the background the others: cron does
        # not, so a job must not.
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        os.execv(shell, [shell, "-c", command])
    except OSError as problem:
        code = 127 if isinstance(problem, FileNotFoundError) else 126
        _quietly(os.write, 2, os.fsencode(f"{shell}: {problem.strerror}\n"))
    os._exit(code)


def _pass_on(record: _Record, targets: dict[int, int], job: int | None, recorder: int) -> int:
    """The pump: pass on what the job prints until nobody can print any more; keep head and tail.

    Should the recorder be gone by then the record is ended here.
    """
    poll = select.poll()
    waiting = {*targets, *(() if job is None else (job,))}
    for end in waiting:
        poll.register(end, select.POLLIN)
    output = _Output(record)
    while waiting:
        for end, _ in poll.poll(1000 if output.waits else None):
            data = b"" if end == job else os.read(end, CHUNK)
            output.keep(data)
            if not data:
                waiting.discard(end)
                poll.unregister(end)
            elif not _write_all(targets[end], data):
                output.flush(last=True)
                return BROKEN + list(targets).index(end)
        output.flush()
    output.flush(last=True)
    if os.getppid() != recorder and record.is_open():
        record.stop()
        record.end(lost=True)
    return 0


class _Output:
    """Head and tail of what was printed, in files, as far as the disk lets us.

    They are written once a second at most, and what is new alone: an SD card is worn by each write.
    The tail is a ring, written over and over in place.
    """

    def __init__(self, record: _Record) -> None:
        self._record = record
        path = record.path
        self._kept = self._past = 0
        # Another pump may have been killed, or the disk become full.
        if head := _quietly(os.stat, f"{path}.head"):
            self._kept = head.st_size
        if found := _quietly(_read, f"{path}.tail"):
            self._kept, self._past = HEAD, _quietly(int, found[21:41]) or 0
        self._head = self._tail = b""
        self._flushed = 0.0

    @property
    def waits(self) -> bool:
        """Whether something is yet to be written."""
        return bool(self._head or self._tail)

    def keep(self, data: bytes) -> None:
        part = data[: max(0, HEAD - self._kept)]
        self._head += part
        self._kept += len(part)
        self._past += len(data) - len(part)
        if len(data) > len(part):
            self._tail = (self._tail + data[len(part) :])[-TAIL:]

    def flush(self, last: bool = False) -> None:
        if not self.waits or (not last and time.monotonic() < self._flushed + 1):
            return
        self._flushed = time.monotonic()
        head, tail, self._head, self._tail = self._head, self._tail, b"", b""
        if not self._record.is_open():
            return  # what the job left running prints this
        path = self._record.path
        if head:
            _quietly(_write_at, f"{path}.head", self._kept - len(head), head)
        if tail:
            start = (self._past - len(tail)) % TAIL
            first, rest = tail[: TAIL - start], tail[TAIL - start :]
            header = HEADER % (self._kept + self._past, self._past)
            for at, part in ((0, header), (len(header) + start, first), (len(header), rest)):
                _quietly(_write_at, f"{path}.tail", at, part)


class _Record:
    """What is written about one run."""

    def __init__(self, task: str, by: str) -> None:
        self.timed_out = False
        self._spool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spool")
        _quietly(os.mkdir, self._spool, 0o700)
        self._told = {"task": task, "by": by, "started": time.time()}
        self._told.update(pid=os.getpid(), ppid=os.getppid())
        self._clock = _uptime()
        self.path = os.path.join(self._spool, f"{task}-{time.time_ns()}-{os.getpid()}")

    def alone(self) -> bool:
        """Whether no other run of this task is going on; then none can start before `stop`.

        Should the recorder be killed, the pump holds the lock until the job has ended.
        """
        import fcntl

        try:
            name = os.path.join(self._spool, f"{self._told['task']}.lock")
            self._lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a disk that cannot be written is no other run
        return True

    def start(self, job: int) -> None:
        """Tell that the job has started."""
        # With these a process is known even if its number is used again.
        stat = _quietly(_read, "/proc/self/stat") or b""
        ticks = int((stat.rpartition(b")")[2].split() + 20 * [b"0"])[19])
        boot = _quietly(_read, "/proc/sys/kernel/random/boot_id") or b""
        self._told.update(job=job, ticks=ticks, boot=boot[:8].decode())
        _quietly(_write_whole, f"{self.path}.start", _json(self._told))

    def is_open(self) -> bool:
        """Whether it was begun, and is not ended, or even taken away since."""
        exists = os.path.exists
        return exists(f"{self.path}.start") and not exists(f"{self.path}.json")

    def stop(self) -> None:
        """Tell that the job has ended: the next may start."""
        self._told.update(ended=time.time(), seconds=_uptime() - self._clock)
        if lock := getattr(self, "_lock", None):
            import fcntl

            _quietly(fcntl.flock, lock, fcntl.LOCK_UN)  # for the pump as well

    def end(
        self,
        status: int | None = None,
        usage: Any = None,
        exit_code: int | None = None,
        overlapped: bool = False,
        lost: bool = False,
    ) -> None:
        """Write down how it ended."""
        import resource

        code = exit_code if status is None else os.waitstatus_to_exitcode(status)
        told = {"ended": time.time(), "seconds": 0.0, **self._told}
        told.update(timed_out=self.timed_out, overlapped=overlapped, lost=lost)
        told.update(exit_code=code, signal=None)
        if self.timed_out:
            told["exit_code"] = TIMED_OUT
        elif code is not None and code < 0:
            told.update(exit_code=None, signal=-code)
        if usage is not None:
            told.update(user=usage.ru_utime, system=usage.ru_stime, peak_kb=usage.ru_maxrss)
            if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
                told["peak_kb"] = None  # it began as a copy of us: what is less cannot be told
        _quietly(_write_whole, f"{self.path}.json", _json(told))
        _quietly(_make_room, self._spool)


def _make_room(spool: str) -> None:
    """Forget the oldest, when nobody has taken them in for long: the disk is not ours to fill.

    The start of the first record that was forgotten stays in a file: what is missing from then on
    must not look like runs that were missed.
    """
    files = [name[:-5] for name in os.listdir(spool) if name.endswith(".json")]
    ended = [name for name in files if name.count("-") == 2]
    if len(ended) > RECORDS:
        ended.sort(key=lambda name: name.split("-")[1])
        forgotten = ended[:-RECORDS]
        _quietly(_write_new, os.path.join(spool, FORGOTTEN), forgotten[0].encode())
        for name in forgotten:
            for kind in KINDS:
                _quietly(os.unlink, os.path.join(spool, f"{name}.{kind}"))


def _json(told: dict[str, Any]) -> bytes:
    """Of words and numbers only: the module `json` would take a third of the time that this may."""
    words = {"None": "null", "True": "true", "False": "false"}
    values = {key: repr(value).replace("'", '"') for key, value in told.items()}
    pairs = [f'"{key}": {words.get(value, value)}' for key, value in values.items()]
    return f"{{{', '.join(pairs)}}}\n".encode()


def _write_whole(path: str, data: bytes) -> None:
    """The whole file or none of it."""
    try:
        _write_at(f"{path}.new", 0, data)
        os.rename(f"{path}.new", path)
    except OSError:
        os.unlink(f"{path}.new")


def _write_new(path: str, data: bytes) -> None:
    """Write a file unless it is there already."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)


def _write_at(path: str, at: int, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while data:
            written = os.pwrite(handle, data, at)
            at, data = at + written, data[written:]
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> bool:
    """Pass on; False when nobody reads any more. For a full disk the job is not to blame."""
    while data:
        try:
            data = data[os.write(handle, data) :]
        except BlockingIOError:
            poll = select.poll()
            poll.register(handle, select.POLLOUT)
            poll.poll()
        except BrokenPipeError:
            return False
        except OSError:
            return True
    return True


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _uptime() -> float:
    """Seconds that go on evenly when somebody sets the clock, and while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _kill(group: int, number: int) -> bool:
    """Send a signal to all of a group; whether there is one."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def _die_by(number: int) -> NoReturn:
    """End as the job did, so that who waits for us sees the same; leaving no core of our own."""
    import resource

    # 1, unlike 0, also holds where cores are piped to a program (core(5)).
    _quietly(resource.setrlimit, resource.RLIMIT_CORE, (1, 1))
    _quietly(signal.signal, number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _same_file(one: int, other: int) -> bool:
    return os.path.samestat(os.fstat(one), os.fstat(other))


def _quietly(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception:
        return None


if __name__ == "__main__":
    main()
