#!/usr/bin/python3 -IS
"""Run a command as cron would, and leave a record of what became of it.

    recorder [--timeout SECONDS] [--no-overlap] [--by WHO] TASK COMMAND

Copied to PiTasker's data folder and run by the system's Python, with the standard library alone: a
job depends on nothing else of PiTasker's, neither on its database nor on its environment. Whatever
goes wrong here, the job runs.

What the job prints goes on to where it would have gone, so that cron's mail still arrives; its head
and tail are kept beside this file in `spool/`:

    NAME.start   one JSON object, written before the job starts
    NAME.head    what it printed first, up to a limit
    NAME.tail    what it printed last, when that is not all in the head
    NAME.json    one JSON object, written when it has ended

Two processes share the work: one waits for the job, the other passes its output on. Should either
be killed the other goes on, and the job does not notice.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the module `typing` would take a fifth of the time that this may
if TYPE_CHECKING:
    from typing import Any

HEAD = 64 * 1024
"""Bytes of output that are kept from its beginning."""

TAIL = 64 * 1024
"""Bytes that are kept from its end."""

CHUNK = 64 * 1024
KILL_AFTER = 10.0
"""Seconds between the polite end of a job that took too long and the other one."""

OVERLAPS = 75
"""The exit code of a job that did not start because it is still running (sysexits: try later)."""


def main() -> None:
    """Run the command; ends with its exit code, or by the signal that ended it."""
    options, task, command = _arguments(sys.argv[1:])
    shell = os.environ.get("SHELL") or "/bin/sh"
    try:
        record = _Record(task, options)
    except Exception:
        record = None
    if record is None:
        # No record can be kept: a full disk, a folder that is gone. The job runs all the same.
        os.execv(shell, [shell, "-c", command])
    if options["no_overlap"] and not record.alone():
        record.end(exit_code=OVERLAPS, overlapped=True)
        sys.exit(OVERLAPS)
    status = _run(record, shell, command, options["timeout"])
    if os.WIFSIGNALED(status):
        _die_by(os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _arguments(words: list[str]) -> tuple[dict[str, Any], str, str]:
    options = {"timeout": 0.0, "no_overlap": False, "by": "cron"}
    while words and words[0].startswith("--"):
        word = words.pop(0)
        if word == "--timeout":
            options["timeout"] = float(words.pop(0))
        elif word == "--by":
            options["by"] = words.pop(0)
        elif word == "--no-overlap":
            options["no_overlap"] = True
    if len(words) != 2:
        sys.exit("usage: recorder [--timeout SECONDS] [--no-overlap] [--by WHO] TASK COMMAND")
    return options, words[0], words[1]


def _run(record: _Record, shell: str, command: str, timeout: float) -> int:
    """Start the job, and the one who passes on its output; the job's wait status."""
    import time

    same = _same_file(1, 2)
    reading, writing = zip(*(os.pipe() for _ in range(1 if same else 2)), strict=True)
    job = os.fork()
    if job == 0:
        _become(shell, command, writing)
    for end in writing:
        os.close(end)
    _forward_signals(job)
    record.started(job)
    pump = os.fork()
    if pump == 0:
        _quietly(_pass_on, record, reading)
        os._exit(0)
    began = time.monotonic()
    status = usage = None
    asked = False
    while status is None:
        left = timeout - (time.monotonic() - began)
        if timeout and left <= -KILL_AFTER:
            _kill(job, 9)
        elif timeout and left <= 0 and not asked:
            asked = record.timed_out = True
            _kill(job, 15)
        pid, found, used = _wait_for(None if not timeout else 0.2 if asked else max(0.05, left))
        if pid == job:
            status, usage = found, used
        elif pid == pump:
            # Somebody killed it: the job must not find its output closed.
            pump = os.fork()
            if pump == 0:
                _quietly(_pass_on, record, reading)
                os._exit(0)
    for end in reading:
        os.close(end)
    _let_it_finish(pump)
    record.end(status=status, usage=usage)
    # What the job left running may still print: cron waits for that too.
    _quietly(os.waitpid, pump, 0)
    return status


def _become(shell: str, command: str, writing: tuple[int, ...]) -> None:
    """In the child: a group of its own, its output into the pipes, and then the job itself."""
    import signal

    try:
        os.setpgid(0, 0)
        os.dup2(writing[0], 1)
        os.dup2(writing[-1], 2)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores these; a job must not
            signal.signal(number, signal.SIG_DFL)
        os.execv(shell, [shell, "-c", command])
    except OSError as problem:
        os.write(2, f"{shell}: {problem.strerror}\n".encode())
    os._exit(127)


def _pass_on(record: _Record, reading: tuple[int, ...]) -> None:
    """Read what the job prints until nobody can print any more; pass it on and keep head, tail."""
    import select
    import signal

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    targets = {end: 1 + place for place, end in enumerate(reading)}
    open_ends = set(reading)
    output = record.output()
    while open_ends:
        ready, _, _ = select.select(list(open_ends), [], [], 1.0)
        for end in ready:
            data = os.read(end, CHUNK)
            if not data:
                open_ends.discard(end)
                continue
            _write_all(targets[end], data)
            output.keep(data)
        output.flush()
    output.flush(last=True)


def _write_all(handle: int, data: bytes) -> None:
    """Pass on; where nobody listens any more the job is not to blame."""
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError:
        pass


class _Output:
    """Head and tail of what was printed, in files, as far as the disk lets us."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._kept = self.total = 0
        self._tail = b""
        self._new = False
        self._flushed = 0.0
        self._head = os.open(f"{path}.head", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def keep(self, data: bytes) -> None:
        self.total += len(data)
        if self._kept < HEAD:
            part = data[: HEAD - self._kept]
            _write_all(self._head, part)
            self._kept += len(part)
            data = data[len(part) :]
        if data:
            self._tail = (self._tail + data)[-TAIL:]
            self._new = True

    def flush(self, last: bool = False) -> None:
        """Write the tail, at most once a second: an SD card is worn by each write."""
        import time

        if not self._new or (not last and time.monotonic() < self._flushed + 1):
            return
        self._new = False
        self._flushed = time.monotonic()
        try:
            _write_file(f"{self._path}.tail", f"{self.total}\n".encode() + self._tail)
        except OSError:
            pass


class _Record:
    """What is written about one run."""

    def __init__(self, task: str, options: dict[str, Any]) -> None:
        import json
        import time

        self._dump = json.dumps
        self._time = time.time
        self._home = os.path.dirname(os.path.abspath(__file__))
        self._began = time.time()
        self.timed_out = False
        self._told = {"task": task, "by": options["by"], "started": self._began}
        self.path = os.path.join(self._home, "spool", f"{task}-{time.time_ns()}-{os.getpid()}")
        self._write("start", self._told)

    def started(self, job: int) -> None:
        self._told.update(pid=os.getpid(), job=job)
        _quietly(self._write, "start", self._told)

    def output(self) -> _Output:
        return _Output(self.path)

    def alone(self) -> bool:
        """Whether no other run of this task is going on; held until the job has ended."""
        import fcntl

        try:
            name = os.path.join(self._home, "spool", f"{self._told['task']}.lock")
            handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass  # a disk that cannot be written is no other run
        return True

    def end(
        self,
        status: int | None = None,
        usage: Any = None,
        exit_code: int | None = None,
        overlapped: bool = False,
    ) -> None:
        told = {**self._told, "ended": self._time(), "timed_out": self.timed_out}
        told["overlapped"] = overlapped
        if status is not None:
            code = os.waitstatus_to_exitcode(status)
            told["exit_code"], told["signal"] = (code, None) if code >= 0 else (None, -code)
        else:
            told["exit_code"], told["signal"] = exit_code, None
        if usage is not None:
            told.update(user=usage.ru_utime, system=usage.ru_stime, peak_kb=usage.ru_maxrss)
        _quietly(self._write, "json", told)

    def _write(self, kind: str, told: dict[str, Any]) -> None:
        _write_file(f"{self.path}.{kind}", self._dump(told).encode())


def _write_file(path: str, data: bytes) -> None:
    """The whole file or none of it."""
    handle = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)
    os.rename(f"{path}.new", path)


def _wait_for(seconds: float | None) -> tuple[int, int, Any]:
    """Whichever child ends first: its id, status and usage; (0, …) when none does in time."""
    import time

    if seconds is None:
        return _patiently(os.wait3, 0)
    end = time.monotonic() + seconds
    while True:
        found = _patiently(os.wait3, os.WNOHANG)
        if found[0] or time.monotonic() >= end:
            return found
        time.sleep(0.05)


def _patiently(wait: Any, how: int) -> tuple[int, int, Any]:
    while True:
        try:
            found: tuple[int, int, Any] = wait(how)
            return found
        except InterruptedError:
            continue


def _let_it_finish(pump: int) -> None:
    """Give what was printed last the time to be kept, half a second at most."""
    import time

    for _ in range(50):
        if _quietly(os.waitid, os.P_PID, pump, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.01)


def _forward_signals(job: int) -> None:
    """What is meant for the job reaches it: whoever looks for it finds us first."""
    import signal

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda number, _: _kill(job, number))


def _kill(group: int, number: int) -> None:
    _quietly(os.killpg, group, number)


def _die_by(number: int) -> None:
    """End as the job did, so that who waits for us sees the same."""
    import resource
    import signal

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _same_file(one: int, other: int) -> bool:
    try:
        a, b = os.fstat(one), os.fstat(other)
    except OSError:
        return False
    return (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)


def _quietly(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception:
        return None


if __name__ == "__main__":
    main()
