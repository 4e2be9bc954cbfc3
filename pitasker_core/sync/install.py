"""Replace the crontab safely: lock, back up, compare, install and verify."""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    ConcurrentModification,
    CrontabUnavailable,
    ExecutionError,
    InvalidSyntax,
    PermissionDenied,
    PiTaskerError,
    ReadOnly,
    SyncInProgress,
)
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.document import Document, Invalid, encode
from pitasker_core.crontab.program import CrontabProgram, write_complete

LOCK_TIME_LIMIT = 10.0
"""Seconds to wait for another PiTasker process to finish with the crontab."""

BACKUPS_KEPT = 200


@contextmanager
def locked(environment: Environment, time_limit: float = LOCK_TIME_LIMIT) -> Iterator[None]:
    """Be the only writer of the crontab on this machine. The lock ends with its process.

    Raises SyncInProgress if another process holds it for more than `time_limit` seconds, and
    ReadOnly.
    """
    if environment.read_only:
        raise ReadOnly
    try:
        environment.make_home()
        handle = os.open(environment.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # The `crontab` program inherits the lock. If we are killed, it holds it until it is done.
        os.set_inheritable(handle, True)
    except OSError as problem:
        raise _disk(environment.home, problem) from problem
    try:
        end = time.monotonic() + time_limit
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise SyncInProgress(
                        "Another PiTasker process is using this crontab.",
                        "Wait a moment, then try again.",
                    ) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)


@lru_cache(maxsize=4)
def digest(text: str | None) -> str:
    """The SHA-256 of a crontab's bytes in hexadecimal; `none` without a crontab."""
    return "none" if text is None else hashlib.sha256(encode(text)).hexdigest()


def back_up(environment: Environment, text: str | None, at: datetime) -> Path | None:
    """Save a text as a file that can be installed without PiTasker and its database.

    It is durable when this returns. None without a crontab, or if the newest backup is the same.
    """
    if text is None:
        return None
    short = digest(text)[:12]
    backup = environment.backups / f"{at:%Y%m%dT%H%M%S.%fZ}-{short}.crontab"
    unfinished = environment.backups / "unfinished"
    try:
        # By names: 200 paths would take longer than the file's two waits for the disk.
        files = os.scandir(environment.backups)
        backups = sorted(file.name for file in files if file.name.endswith(".crontab"))
        newest = backups[-1] if backups else ""
        if newest.endswith(f"-{short}.crontab") and _holds(environment.backups / newest, text):
            return None
        unfinished.unlink(missing_ok=True)
        write_complete(unfinished, text, durable=True)
        unfinished.rename(backup)
        _sync_folder(environment.backups)
        for old in backups[: max(0, len(backups) + 1 - BACKUPS_KEPT)]:
            (environment.backups / old).unlink(missing_ok=True)
    except OSError as problem:
        raise _disk(environment.backups, problem) from problem
    return backup


@dataclass(frozen=True)
class Write:
    """When a crontab was installed, since the last check of the old one, and by which process."""

    since: datetime
    until: datetime
    pid: int | None

    def as_dict(self) -> dict[str, Any]:
        """For the record of an operation."""
        times = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        return {**times, "pid": self.pid}


def install(
    environment: Environment,
    program: CrontabProgram,
    based_on: str | None,
    document: Document | None,
) -> Write:
    """Replace the text `based_on` by a crontab, and verify it; see `installed`."""
    with installed(environment, program, based_on, document) as write:
        return write


@contextmanager
def installed(
    environment: Environment,
    program: CrontabProgram,
    based_on: str | None,
    document: Document | None,
) -> Iterator[Write]:
    """Replace the text `based_on` by a crontab. The end of the block verifies it.

    Inside the block the crontab is read back while the caller does other work, which must not be
    committed there. The caller holds the lock. None leaves the user without a crontab. Raises
    ConcurrentModification if the installed text is no longer `based_on`, or is not `document` at
    the end. Raises InvalidSyntax if the program refuses the text, and ExecutionError if the disk is
    full.
    """
    since: list[datetime] = []

    def look() -> None:
        since.append(clock.now())
        _expect(program.read(), based_on)

    pid = None
    with _telling_the_truth(program, based_on):
        if document is None:
            program.remove(look)
        else:
            with _candidate(environment, document) as file:
                pid = program.install(file, look)
    with program.reading() as read_back:
        yield Write(since[0], clock.now(), pid)
        _expect(read_back(), None if document is None else str(document))


@contextmanager
def _telling_the_truth(program: CrontabProgram, text: str | None) -> Iterator[None]:
    """Add to the program's error whether the crontab is still this text."""
    try:
        yield
    except (CrontabUnavailable, PermissionDenied) as problem:
        try:
            is_same = program.read() == text
        except PiTaskerError:
            raise problem from None  # unknown
        now = "was not changed" if is_same else "was changed: check it"
        raise type(problem)(problem.message, Text(f"The crontab {now}. ", problem.advice)) from None


def check(environment: Environment, program: CrontabProgram, document: Document) -> None:
    """Let the program check a crontab without installing it. The caller holds the lock.

    Raises InvalidSyntax if the program refuses it, and ExecutionError if the disk is full.
    """
    with _candidate(environment, document) as file:
        program.check(file)


@contextmanager
def _candidate(environment: Environment, document: Document) -> Iterator[Path]:
    """A complete file of a crontab. If the program refuses it, the error has our findings."""
    # One fixed name under the lock, so that files of killed processes do not pile up.
    file = environment.home / "candidate"
    try:
        file.unlink(missing_ok=True)
        write_complete(file, str(document))
    except OSError as problem:
        raise _disk(environment.home, problem) from problem
    try:
        yield file
    except InvalidSyntax as problem:
        raise _with_lines(problem, document) from problem
    finally:
        file.unlink(missing_ok=True)


def _expect(installed_text: str | None, text: str | None) -> None:
    if installed_text != text:
        raise ConcurrentModification(
            "Another program changed the crontab at the same moment.",
            "Its change was not overwritten. Check the crontab, then repeat your change.",
        )


def _with_lines(problem: InvalidSyntax, document: Document) -> InvalidSyntax:
    """The program's error with our own findings, because its line numbers are off by one."""
    reasons = [
        f"line {number}: {line.reason}"
        for number, line in enumerate(document.lines, 1)
        if isinstance(line, Invalid)
    ]
    if not reasons:
        return problem
    return InvalidSyntax(
        Text(
            Code("crontab"),
            f" refuses the whole crontab because of {'; '.join(reasons)}.",
        ),
        "The old crontab is still in force. Fix these lines in the raw editor, then try again.",
    )


def _holds(file: Path, text: str) -> bool:
    try:
        return file.read_bytes() == encode(text)
    except OSError:
        return False


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk(folder: Path, problem: OSError) -> ExecutionError:
    return ExecutionError(
        f"{folder} cannot be written: {problem.strerror}.",
        "The crontab was not changed. Free some space, or set PITASKER_HOME to another folder.",
    )
