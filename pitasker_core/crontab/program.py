"""The one file that runs crontab(1): read, check, install.

`crontab` neither locks nor compares; `sync.service` does both around these calls.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
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
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.document import decode, encode
from pitasker_core.crontab.schedule import Dialect

TIME_LIMIT = 15.0
"""Seconds after which a `crontab` that has not answered is given up."""


class _Done(NamedTuple):
    pid: int
    returncode: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class CrontabProgram:
    """The `crontab` program of this user. Texts are as `document.decode` makes them."""

    path: str = "crontab"
    time_limit: float = TIME_LIMIT

    def read(self) -> str | None:
        """The crontab exactly as installed; None when this user has none.

        A failed read is an error, never an empty crontab: PermissionDenied, CrontabUnavailable.
        """
        with timings.timed("crontab read"):
            text = self._listing()
            if text is not None and self._may_be_disguised(text):
                return self._exact_text()
            return text

    def check(self, file: Path) -> None:
        """Let the program judge a complete file, without installing it.

        Raises InvalidSyntax with the program's own words. Where the program cannot check
        (Debian before 12), nothing happens. That it says nothing is no proof that a schedule is
        good: on ARM, Debian's accepts many bad ones.
        """
        option = "-T" if self.dialect.is_cronie else "-n"
        done = self._run([option, str(file)])
        words = decode(done.stderr).strip()
        if done.returncode and "invalid option" not in words:
            raise _refusal(words)

    def install(self, file: Path, look: Callable[[], None] = lambda: None) -> int:
        """Install a complete file; all or nothing, by the program's own rename. Its process id.

        `look` is called when all is ready, right before the program starts: what it makes sure of
        is as young as it can be.

        Never through a pipe: a writer killed half way through one leaves a shorter crontab that
        cron accepts when the cut falls on a line end.
        """
        with file.open("rb") as complete, timings.timed("crontab write"):
            # It inherits the lock: see `sync.install.locked`.
            try:
                done = self._run(["-"], look, stdin=complete.fileno(), inherits=True)
            finally:
                local_changes.note()
        if done.returncode:
            raise _refusal(decode(done.stderr).strip())
        return done.pid

    def remove(self, look: Callable[[], None]) -> None:
        """Leave this user without a crontab. `look` is as in `install`."""
        try:
            done = self._run(["-r"], look)
        finally:
            local_changes.note()
        if done.returncode and b"no crontab for" not in done.stderr:
            raise _refusal(decode(done.stderr).strip())

    @property
    def dialect(self) -> Dialect:
        """Which cron this program belongs to; Debian's up to 12 when it cannot be told."""
        return _dialect(self, self._version())

    def _version(self) -> int:
        """What differs after an upgrade, for which a server need not be started again."""
        found = shutil.which(self.path)
        try:
            return Path(found).stat().st_mtime_ns if found else 0
        except OSError:
            return 0

    def _listing(self) -> str | None:
        done = self._run(["-l"])
        words = decode(done.stderr).strip()
        if done.returncode == 0:
            return decode(done.stdout)
        if done.returncode == 1 and words.startswith("no crontab for") and not done.stdout:
            return None
        raise _refusal(words)

    def _may_be_disguised(self, text: str) -> bool:
        """Debian's `-l` shows a carriage return as `\\r` and a backspace as `\\b`, two characters.

        A listing that holds those two characters may stand for either.
        """
        return ("\\r" in text or "\\b" in text) and not self.dialect.is_cronie

    def _exact_text(self) -> str:
        """The bytes that Debian's `crontab -e` hands to the editor, which are the installed ones.

        The editor is `cat`: it changes nothing, so `crontab` installs nothing.
        """
        done = self._run(["-e"], EDITOR="cat", VISUAL="cat")
        if done.returncode:
            raise CrontabUnavailable(
                Text(
                    "The crontab holds \\r or \\b, which ",
                    Code("crontab -l"),
                    " also shows for control characters, and its exact text cannot be read "
                    f"({decode(done.stderr).strip()}).",
                ),
                Text("Nothing was changed. Remove those characters with ", Code("crontab -e"), "."),
            )
        return decode(done.stdout)

    def _run(
        self,
        arguments: list[str],
        look: Callable[[], None] = lambda: None,
        stdin: int = subprocess.DEVNULL,
        *,
        inherits: bool = False,
        **environment: str,
    ) -> _Done:
        env = {**os.environ, "LC_ALL": "C", **environment}
        # With this set, Debian lists its three header lines, and each write back adds three more.
        env.pop("CRONTAB_NOHEADER", None)
        command = [self.path, *arguments]
        look()
        try:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                close_fds=not inherits,
            )
        except FileNotFoundError as problem:
            raise CrontabUnavailable(
                f"There is no program {self.path} on this machine.",
                Text("Install cron (", Code("sudo apt install cron"), ")."),
            ) from problem
        except OSError as problem:
            raise PermissionDenied(
                f"{self.path} cannot be run: {problem.strerror}.",
                "Ask the machine's administrator to let you run it.",
            ) from problem
        try:
            out, err = process.communicate(timeout=self.time_limit)
        except subprocess.TimeoutExpired:
            _end(process)
            raise CrontabUnavailable(
                Text(
                    Code(" ".join(command)),
                    f" did not answer within {self.time_limit:g} seconds.",
                ),
                "Try again; if it goes on, look at the disk and the load.",
            ) from None
        return _Done(process.pid, process.returncode, out, err)


@lru_cache
def _dialect(program: CrontabProgram, _version: int) -> Dialect:
    # Only cronie knows -V; Debian prints its usage and fails.
    done = program._run(["-V"])
    if b"cronie" in done.stdout + done.stderr:
        return Dialect.CRONIE
    return Dialect.DEBIAN_13 if _takes_empty_values(program) else Dialect.DEBIAN


def _takes_empty_values(program: CrontabProgram) -> bool:
    """Whether the program's check passes `A=`, which is what Debian 13 added."""
    try:
        with tempfile.NamedTemporaryFile(prefix="pitasker-", suffix=".crontab") as probe:
            probe.write(b"A=\n")
            probe.flush()
            return program._run(["-n", probe.name]).returncode == 0
    except (OSError, PiTaskerError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a `crontab` that hangs; by INT first, upon which it removes its temporary file."""
    for number in (signal.SIGINT, signal.SIGKILL):
        process.send_signal(number)
        try:
            # Not communicate(): a grandchild may hold the pipes open for ever.
            process.wait(timeout=1)
            break
        except subprocess.TimeoutExpired:
            continue
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()


def _refusal(words: str) -> Exception:
    """The error for what `crontab` said on its standard error."""
    first = words.splitlines()[0] if words else "it gave no reason"
    if "not allowed to use this program" in words or "cannot use this program" in words:
        return PermissionDenied(
            "This user may not use crontab.",
            "Ask the administrator to remove the name from /etc/cron.deny, "
            "or to add it to /etc/cron.allow if there is one.",
        )
    if "errors in crontab file" in words or "can't install" in words or "maximum number" in words:
        return InvalidSyntax(
            Text(Code("crontab"), f" refused the whole crontab: {first}."),
            "The old one is still in force. Mend the lines marked as invalid, then try again.",
        )
    if "syntax" in words.lower() or "bad " in words:
        return InvalidSyntax(Text(Code("crontab"), f" found an error: {first}."))
    if "ermission denied" in words:
        return PermissionDenied(Text(Code("crontab"), f" failed: {first}."))
    return CrontabUnavailable(
        Text(Code("crontab"), f" failed: {first}."),
        "Try again, or look at the machine.",
    )


def write_complete(file: Path, text: str, *, durable: bool = False) -> None:
    """Write a crontab's text to a new file for its owner only; `durable` waits for the disk.

    Raises FileExistsError when there is such a file, OSError as the disk has it.
    """
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(encode(text))
        out.flush()
        if durable:
            os.fsync(out.fileno())
