"""What a person should know of an entry before it is saved: never an error, only a warning."""

import shutil
from collections.abc import Mapping

from pitasker_core.base import paths
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab import command as commands
from pitasker_core.crontab.document import Document, split_stdin

DEFAULT_PATH = "/usr/bin:/bin"
"""cron's own, which is shorter than that of a terminal."""


_POSIX_SHELLS = frozenset({"dash", "ash", "posh", "busybox"})


def advise(
    schedule: str,
    command: str,
    crontab: Document | None,
    index: int | None = None,
) -> list[str]:
    """Warnings in plain sentences. `index` is the entry's line, None for one at the end."""
    found = []
    environment: Mapping[str, str] = crontab.environment(index) if crontab else {}
    proper, stdin = split_stdin(command)
    if stdin:
        found.append(
            "An unescaped % ends the command: what follows it is its standard input. "
            "Write \\% for a percent sign."
        )
    reading = commands.read(proper)
    if reading.uses_sudo:
        found.append(
            "sudo asks for a password where no one can type it. It works only if this user may "
            "run that command without one; root's crontab is the usual place."
        )
    if reading.redirects_both and _knows_no_ampersand(environment.get("SHELL", "/bin/sh")):
        found.append(
            "This shell reads &> as & and >: the command runs in the background, and nobody sees "
            "how it ends. Write > FILE 2>&1."
        )
    if missing := missing_program(reading.program, environment):
        found.append(missing)
    if crontab and _has_twin(crontab, schedule, command, index):
        found.append("Another entry of the crontab has the same schedule and command.")
    return found


def _knows_no_ampersand(shell: str) -> bool:
    """Whether a shell is one that does not know bash's `&>`; /bin/sh is a link to another."""
    resolved = paths.resolve(shell)
    return resolved is not None and resolved.name in _POSIX_SHELLS


def missing_program(program: str | None, environment: Mapping[str, str]) -> str | None:
    """Words for a program that cron would not find; None when it is there, or nobody can tell."""
    if program is None:
        return None
    path = environment.get("PATH", DEFAULT_PATH)
    if program.startswith("/"):
        if not paths.exists(program):
            return f"There is no file {program} on this machine that you can reach."
        if shutil.which(program) is None:
            return Text(f"{program} is not executable: ", Code("chmod +x"), " makes it so.")
        return None
    if "/" in program or shutil.which(program, path=path):
        return None
    if found := shutil.which(program):
        return f"cron does not find {program} on its PATH ({path}): write {found}."
    return f"There is no program {program} on cron's PATH ({path})."


def _has_twin(crontab: Document, schedule: str, command: str, index: int | None) -> bool:
    return any(
        at != index and (entry.schedule, entry.command) == (schedule, command)
        for at, entry in crontab.entries()
    )
