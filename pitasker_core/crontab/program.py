"""Run crontab(1): read, check, install. No other file runs it.

`crontab` neither locks nor compares. `sync.service` does both around these calls.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pitasker_core.base import local_changes, timings
from pitasker_core.base.errors import (
    CrontabUnavailable,
    InvalidSyntax,
    PermissionDenied,
    PiTaskerError,
)
from pitasker_core.base.processes import wait_for_outputs
from pitasker_core.base.text import Code, Text, marked
from pitasker_core.crontab.document import decode, encode
from pitasker_core.crontab.schedule import Dialect

TIME_LIMIT = 15.0
"""Seconds to wait for an answer of `crontab`."""


class _Output(NamedTuple):
    pid: int
    returncode: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class CrontabProgram:
    """The `crontab` program of this user. Texts are as `document.decode` returns them."""

    path: str = "crontab"
    time_limit: float = TIME_LIMIT

    def read(self) -> str | None:
        """Return the crontab exactly as installed; None when this user has none.

        Raises PermissionDenied or CrontabUnavailable. A failed read is never an empty crontab.
        """
        with self.reading() as finish:
            return finish()

    @contextmanager
    def reading(self) -> Iterator[Callable[[], str | None]]:
        """Start to read the crontab, and give the function that waits for its text.

        The caller can do other work meanwhile. The function raises the errors of `read`.
        """
        with self._started(["-l"]) as listing:

            def finish() -> str | None:
                with timings.timed("crontab read"):
                    text = _listed_text(listing())
                    is_exact = text is None or not self._may_be_disguised(text)
                    return text if is_exact else self._exact_text()

            yield finish

    def check(self, file: Path) -> None:
        """Let the program check a complete file, without installing it.

        Raises InvalidSyntax with the program's own message. A program that cannot check (Debian
        before 12) is skipped. No error is no proof that a schedule is valid: on ARM, Debian's
        program accepts many invalid ones.

        The program gets no path: Debian's cuts a path after 99 bytes, and then opens another file.
        """
        option = "-T" if self.dialect.is_cronie else "-n"
        with file.open("rb") as complete:
            output = self._run([option, "-"], stdin=complete.fileno())
        message = decode(output.stderr).strip()
        if output.returncode and "invalid option" not in message:
            raise _refusal(message)

    def install(self, file: Path, look: Callable[[], None] = lambda: None) -> int:
        """Install a complete file, and return the id of the process that installed it.

        The program replaces the crontab by a rename: all of it, or nothing. `look` is called right
        before the program starts, so that its check is as recent as possible.

        The text never goes through a pipe. A writer killed half-way through a pipe leaves a shorter
        crontab, and cron accepts it when the cut is at a line end.
        """
        with file.open("rb") as complete, timings.timed("crontab write"):
            # The process inherits the lock: see `sync.install.locked`.
            try:
                output = self._run(["-"], look, stdin=complete.fileno(), inherits=True)
            finally:
                local_changes.note()
        if output.returncode:
            raise _refusal(decode(output.stderr).strip())
        return output.pid

    def remove(self, look: Callable[[], None]) -> None:
        """Remove the crontab of this user. `look` is as in `install`."""
        try:
            output = self._run(["-r"], look)
        finally:
            local_changes.note()
        if output.returncode and b"no crontab for" not in output.stderr:
            raise _refusal(decode(output.stderr).strip())

    @property
    def dialect(self) -> Dialect:
        """The cron that this program belongs to; Debian's up to 12 when that is unclear."""
        return _dialect(self, self._version())

    def _version(self) -> int:
        """Return a number that an upgrade of the program changes.

        The server notices an upgrade without a restart.
        """
        path = shutil.which(self.path)
        try:
            return Path(path).stat().st_mtime_ns if path else 0
        except OSError:
            return 0

    def _may_be_disguised(self, text: str) -> bool:
        """Return whether a listing may differ from the installed text.

        Debian's `-l` shows a carriage return as the two characters `\\r`, and a backspace as `\\b`.
        """
        return ("\\r" in text or "\\b" in text) and not self.dialect.is_cronie

    def _exact_text(self) -> str:
        """Return the installed text: Debian's `crontab -e` gives it to the editor.

        The editor is `cat`. It changes nothing, so `crontab` installs nothing.
        """
        output = self._run(["-e"], EDITOR="cat", VISUAL="cat")
        if output.returncode:
            raise CrontabUnavailable(
                Text(
                    "The crontab holds \\r or \\b, which ",
                    Code("crontab -l"),
                    " also shows for control characters, and its exact text cannot be read "
                    f"({decode(output.stderr).strip()}).",
                ),
                marked("Nothing was changed. Remove those characters with `crontab -e`."),
            )
        return decode(output.stdout)

    def _run(
        self,
        arguments: list[str],
        look: Callable[[], None] = lambda: None,
        stdin: int = subprocess.DEVNULL,
        *,
        inherits: bool = False,
        **environment: str,
    ) -> _Output:
        with self._started(arguments, look, stdin, inherits=inherits, **environment) as finish:
            return finish()

    @contextmanager
    def _started(
        self,
        arguments: list[str],
        look: Callable[[], None] = lambda: None,
        stdin: int = subprocess.DEVNULL,
        *,
        inherits: bool = False,
        **environment: str,
    ) -> Iterator[Callable[[], _Output]]:
        """Start the program, and give the function that waits for its output.

        Both raise PiTaskerError. A program that nobody waited for is ended.
        """
        # In bytes: `Popen` would encode each text.
        env = {**os.environb, b"LC_ALL": b"C"}
        env |= {name.encode(): value.encode() for name, value in environment.items()}
        # With this variable, Debian's program lists its three header lines. Each write back then
        # adds three more.
        env.pop(b"CRONTAB_NOHEADER", None)
        command = [self.path, *arguments]
        look()
        process = _start(command, stdin, env, inherits=inherits)

        def finish() -> _Output:
            try:
                out, err = wait_for_outputs(process, time.monotonic() + self.time_limit)
            except subprocess.TimeoutExpired:
                _end(process)
                raise CrontabUnavailable(
                    Text(
                        Code(" ".join(command)),
                        f" did not answer within {self.time_limit:g} seconds.",
                    ),
                    "Try again. If it happens again, check the disk and the load.",
                ) from None
            return _Output(process.pid, process.returncode, out, err)

        try:
            yield finish
        finally:
            if process.returncode is None:
                _end(process)
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()


def _start(
    command: list[str], stdin: int, env: dict[bytes, bytes], *, inherits: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            close_fds=not inherits,
        )
    except FileNotFoundError as problem:
        raise CrontabUnavailable(
            f"There is no program {command[0]} on this machine.",
            marked("Install cron (`sudo apt install cron`)."),
        ) from problem
    except OSError as problem:
        raise PermissionDenied(
            f"{command[0]} cannot be run: {problem.strerror}.",
            "Ask the machine's administrator to let you run it.",
        ) from problem


def _listed_text(output: _Output) -> str | None:
    """Return the text of `crontab -l`; None when this user has none."""
    message = decode(output.stderr).strip()
    if output.returncode == 0:
        return decode(output.stdout)
    if output.returncode == 1 and message.startswith("no crontab for") and not output.stdout:
        return None
    raise _refusal(message)


@lru_cache
def _dialect(program: CrontabProgram, _version: int) -> Dialect:
    # Only cronie knows -V; Debian prints its usage and fails.
    output = program._run(["-V"])
    if b"cronie" in output.stdout + output.stderr:
        return Dialect.CRONIE
    return Dialect.DEBIAN_13 if _takes_empty_values(program) else Dialect.DEBIAN


def _takes_empty_values(program: CrontabProgram) -> bool:
    """Return whether the program accepts `A=`. Debian 13 added that."""
    try:
        with tempfile.TemporaryFile() as probe:
            probe.write(b"A=\n")
            probe.seek(0)
            return program._run(["-n", "-"], stdin=probe.fileno()).returncode == 0
    except (OSError, PiTaskerError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a `crontab` that hangs. On SIGINT it removes its temporary file, so try that first."""
    for number in (signal.SIGINT, signal.SIGKILL):
        process.send_signal(number)
        try:
            # Not communicate(): a grandchild may keep the pipes open.
            process.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            continue


def _refusal(message: str) -> Exception:
    """Return the error for what `crontab` wrote to its standard error."""
    first = message.splitlines()[0] if message else "it gave no reason"
    if "not allowed to use this program" in message or "cannot use this program" in message:
        return PermissionDenied(
            "This user may not use crontab.",
            "Ask the administrator to remove the name from /etc/cron.deny, "
            "or to add it to /etc/cron.allow if there is one.",
        )
    if (
        "errors in crontab file" in message
        or "can't install" in message
        or "maximum number" in message
    ):
        return InvalidSyntax(
            Text(Code("crontab"), f" refused the whole crontab: {first}."),
            "The old crontab is still in force. Correct the invalid lines, then try again.",
        )
    if "syntax" in message.lower() or "bad " in message:
        return InvalidSyntax(Text(Code("crontab"), f" found an error: {first}."))
    if "ermission denied" in message:
        return PermissionDenied(Text(Code("crontab"), f" failed: {first}."))
    return CrontabUnavailable(
        Text(Code("crontab"), f" failed: {first}."),
        "Try again, or check the machine.",
    )


def write_complete(file: Path, text: str, *, durable: bool = False) -> None:
    """Write a crontab's text to a new file that only its owner can read.

    `durable` waits for the disk. Raises FileExistsError when the file exists, and OSError.
    """
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(encode(text))
        out.flush()
        if durable:
            os.fsync(out.fileno())
