#!/usr/bin/python3 -IS
"""Run a command as cron would, and record its result and output.

    recorder [--timeout SECONDS] [--no-overlap] [--by WHO] TASK COMMAND

This file is copied to PiTasker's data folder and run by the system's Python. It uses only the
standard library, so a job depends on no other part of PiTasker: neither its database nor its
packages. If anything fails here, the job still runs.

The job's output goes on to its normal place, so cron's mail still arrives. The exit code is the
job's, or the same signal ends the recorder. It is 124 after a time-out, and 75 if the job was not
started because its last run is still going on. Each run leaves these files in `spool/`, beside
this file:

    NAME.start   one JSON object, written when the job starts
    NAME.head    the beginning of its output, up to a limit
    NAME.tail    the end of its output, if it is longer than the head
    NAME.json    one JSON object, written when the job ends

Two processes share the work. One waits for the job. The other, the pump, passes on its output. If
one of them is killed, the other goes on and the job does not notice: a new pump is started. If the
recorder dies, the pump writes the final record without an exit code.

The job is a process group of its own. Signals and the time-out reach the whole group. A process
that left it, for example by `setsid`, is out of reach. The recorder waits for processes that keep
the output open after the job, like cron, but the record ends with the job.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

TYPE_CHECKING = False  # importing `typing` would take a fifth of our time limit
if TYPE_CHECKING:
    from typing import Any, NoReturn

HEAD = 64 * 1024
"""Bytes kept from the beginning of the output."""

TAIL = 64 * 1024
"""Bytes kept from the end of the output."""

RECORDS = 500
"""The maximum number of records in the spool. If nobody imports them, the oldest are deleted."""

FORGOTTEN = "forgotten"
"""The file in the spool with the name of the first deleted record."""

KILL_AFTER = 10.0
"""Seconds between SIGTERM and SIGKILL after a time-out."""

OVERLAPS = 75
"""The exit code if the job is still running from before (EX_TEMPFAIL of sysexits(3))."""

TIMED_OUT = 124
"""The exit code after a time-out, the same as that of timeout(1)."""

CHUNK = 64 * 1024
HEADER = b"%20d %20d\n"
"""The header of a tail: the total size of the output, and the size of the part after the head."""

KINDS = ("start", "head", "tail", "json")
BROKEN = 10
"""The pump's exit code if nobody reads the first output any more; plus one for the second."""

_AWAITED = {
    signal.SIGCHLD,
    # These are passed on to the job, because people and programs see our process first.
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2),
}


def main() -> NoReturn:
    """Run the command. Exits with its exit code, or by the same signal."""
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
        _become(shell, command, {})  # no free process or file handle: run it without a record
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
    """Remove LC_CTYPE, which Python sets in the C locale."""
    try:
        with open("/proc/self/environ", "rb") as file:
            if b"\0LC_CTYPE=" not in b"\0" + file.read():
                os.unsetenv("LC_CTYPE")
    except OSError:
        pass


def _open_outputs() -> list[int]:
    """The open handles among 1 and 2. Closed ones are opened on /dev/null, so that no pipe gets
    their number. The job does not inherit them: Python opens files with close-on-exec."""
    open_handles = []
    for handle in range(3):
        try:
            os.fstat(handle)
            open_handles.append(handle)
        except OSError:
            os.open("/dev/null", os.O_RDWR)
    return [handle for handle in open_handles if handle]


class _Run:
    """A started job, and the pump that passes on its output."""

    def __init__(self, record: _Record, outputs: list[int], shell: str, command: str) -> None:
        """Start the job. Raises OSError if it cannot be started."""
        self._record = record
        # One pipe keeps the order of output and errors. Two pipes keep them apart.
        self._targets = {}
        ends: dict[int, int] = {}
        for handle in outputs:
            if ends and _same_file(*outputs):
                ends[handle] = ends[outputs[0]]
            else:
                reading, ends[handle] = os.pipe()
                self._targets[reading] = handle
        # From here on these signals are blocked, and handled by sigtimedwait.
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
        _quietly(os.setpgid, self._job, self._job)  # the job does it too: the first one counts
        self._handle = _quietly(os.pidfd_open, self._job)
        for end in set(ends.values()):
            os.close(end)
        _quietly(lambda: os.dup2(os.open("/dev/null", os.O_RDONLY), 0))  # only the job reads stdin
        record.start(self._job)
        self._ended: tuple[int, Any] | None = None
        self._pump = 0
        self._passed_on = False

    def watch(self, timeout: float) -> int:
        """Wait until the job and its output have ended. Returns the job's wait status."""
        record = self._record
        due = time.monotonic() + timeout if timeout > 0 else float("inf")
        number = signal.SIGTERM
        while not self._ended or (record.timed_out and _kill(self._job, 0)):
            left = due - time.monotonic()
            if left > 0:
                # Poll, because nothing signals the end of a group whose leader is gone.
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
        """Handle the next signal. Waits at most this many seconds."""
        if not self._pump and not self._passed_on:
            self._start_pump()
        seconds = min(seconds, 3600 if self._pump or self._passed_on else 0.5)
        received = signal.sigtimedwait(_AWAITED, seconds)
        if received and received.si_signo != signal.SIGCHLD:
            _kill(self._job, received.si_signo)
        while child := _quietly(os.wait3, os.WNOHANG):
            pid, status, usage = child
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
                    # The job must also find that its reader is gone.
                    end = list(self._targets)[code - BROKEN]
                    del self._targets[end]
                    os.close(end)
                else:
                    time.sleep(0.1)  # killed or failed: start another one soon

    def _start_pump(self) -> None:
        recorder = os.getpid()
        try:
            self._pump = os.fork()
        except OSError:
            return  # retried soon; until then the job's output waits in the pipe
        if self._pump == 0:
            _quietly(os.setpgid, 0, 0)  # killing our group must not close the job's output
            code = _quietly(_pass_on, self._record, self._targets, self._handle, recorder)
            os._exit(1 if code is None else code)


def _become(shell: str, command: str, ends: dict[int, int]) -> NoReturn:
    """Become the job: in a new process group, with its output in the pipes."""
    _quietly(os.setpgid, 0, 0)
    try:
        for handle, end in ends.items():
            os.dup2(end, handle)
        # Python ignores the first two, and a shell's background jobs ignore the others. Cron
        # ignores none, so neither must the job.
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        os.execv(shell, [shell, "-c", command])
    except OSError as problem:
        code = 127 if isinstance(problem, FileNotFoundError) else 126
        _quietly(os.write, 2, os.fsencode(f"{shell}: {problem.strerror}\n"))
    os._exit(code)


def _pass_on(record: _Record, targets: dict[int, int], job: int | None, recorder: int) -> int:
    """The pump: pass on the output and keep its head and tail, until all writers have closed it.

    If the recorder is gone by then, write the final record.
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
    """The head and tail of the output, in files, if the disk can be written.

    New data is written at most once a second, because each write wears an SD card. The tail is a
    ring buffer in a file.
    """

    def __init__(self, record: _Record) -> None:
        self._record = record
        path = record.path
        self._kept = self._past = 0
        # An earlier pump may have been killed, so continue its files.
        if head := _quietly(os.stat, f"{path}.head"):
            self._kept = head.st_size
        if tail := _quietly(_read, f"{path}.tail"):
            self._kept, self._past = HEAD, _quietly(int, tail[21:41]) or 0
        self._head = self._tail = b""
        self._flushed = 0.0

    @property
    def waits(self) -> bool:
        """Whether there is unwritten output."""
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
            return  # output of processes that the job left behind
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
    """The record of one run."""

    def __init__(self, task: str, by: str) -> None:
        self.timed_out = False
        self._spool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spool")
        _quietly(os.mkdir, self._spool, 0o700)
        self._data = {"task": task, "by": by, "started": time.time()}
        self._data.update(pid=os.getpid(), ppid=os.getppid())
        self._clock = _uptime()
        self.path = os.path.join(self._spool, f"{task}-{time.time_ns()}-{os.getpid()}")

    def alone(self) -> bool:
        """Whether no other run of this task is going on. If so, none can start before `stop`.

        If the recorder is killed, the pump holds the lock until the job ends.
        """
        import fcntl

        try:
            name = os.path.join(self._spool, f"{self._data['task']}.lock")
            self._lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # the disk cannot be written: run the job anyway
        return True

    def start(self, job: int) -> None:
        """Record that the job has started."""
        # These identify the process even if its id is used again.
        stat = _quietly(_read, "/proc/self/stat") or b""
        ticks = int((stat.rpartition(b")")[2].split() + 20 * [b"0"])[19])
        boot = _quietly(_read, "/proc/sys/kernel/random/boot_id") or b""
        self._data.update(job=job, ticks=ticks, boot=boot[:8].decode())
        _quietly(_write_whole, f"{self.path}.start", _json(self._data))

    def is_open(self) -> bool:
        """Whether the start is recorded and the end is not. False if the files were removed."""
        exists = os.path.exists
        return exists(f"{self.path}.start") and not exists(f"{self.path}.json")

    def stop(self) -> None:
        """Note the end of the job, and let the next run start."""
        self._data.update(ended=time.time(), seconds=_uptime() - self._clock)
        if lock := getattr(self, "_lock", None):
            import fcntl

            _quietly(fcntl.flock, lock, fcntl.LOCK_UN)  # also releases the pump's copy

    def end(
        self,
        status: int | None = None,
        usage: Any = None,
        exit_code: int | None = None,
        overlapped: bool = False,
        lost: bool = False,
    ) -> None:
        """Write the final record."""
        import resource

        code = exit_code if status is None else os.waitstatus_to_exitcode(status)
        data = {"ended": time.time(), "seconds": 0.0, **self._data}
        data.update(timed_out=self.timed_out, overlapped=overlapped, lost=lost)
        data.update(exit_code=code, signal=None)
        if self.timed_out:
            data["exit_code"] = TIMED_OUT
        elif code is not None and code < 0:
            data.update(exit_code=None, signal=-code)
        if usage is not None:
            data.update(user=usage.ru_utime, system=usage.ru_stime, peak_kb=usage.ru_maxrss)
            if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
                # A forked child starts with our memory size, so a smaller peak cannot be measured.
                data["peak_kb"] = None
        _quietly(_write_whole, f"{self.path}.json", _json(data))
        _quietly(_make_room, self._spool)


def _make_room(spool: str) -> None:
    """Delete the oldest records if nobody imports them, so that they do not fill the disk.

    The name of the first deleted record is kept in a file, so that deleted records do not look like
    missed runs.
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


def _json(data: dict[str, Any]) -> bytes:
    """JSON of plain words and numbers. Importing `json` would take a third of our time limit."""
    words = {"None": "null", "True": "true", "False": "false"}
    values = {key: repr(value).replace("'", '"') for key, value in data.items()}
    pairs = [f'"{key}": {words.get(value, value)}' for key, value in values.items()]
    return f"{{{', '.join(pairs)}}}\n".encode()


def _write_whole(path: str, data: bytes) -> None:
    """Write a whole file or nothing."""
    try:
        _write_at(f"{path}.new", 0, data)
        os.rename(f"{path}.new", path)
    except OSError:
        os.unlink(f"{path}.new")


def _write_new(path: str, data: bytes) -> None:
    """Write a file unless it exists."""
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
    """Write all data. False if the reader is gone. A full disk must not stop the job."""
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
    """Seconds since the boot, independent of the clock, including sleep."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _kill(group: int, number: int) -> bool:
    """Send a signal to a process group. False if there is none."""
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def _die_by(number: int) -> NoReturn:
    """End by the same signal as the job, without a core dump of our own."""
    import resource

    # 1, unlike 0, also works if core dumps are piped to a program (core(5)).
    _quietly(resource.setrlimit, resource.RLIMIT_CORE, (1, 1))
    _quietly(signal.signal, number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _same_file(first: int, second: int) -> bool:
    return os.path.samestat(os.fstat(first), os.fstat(second))


def _quietly(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception:
        return None


if __name__ == "__main__":
    main()
