from collections.abc import Iterator
from shlex import quote

from pitasker_core.base.text import marked
from pitasker_core.crontab.calls import NamedFile
from pitasker_core.crontab.doctor.facts import FileFacts
from pitasker_core.crontab.doctor.finding import Problem, high
from pitasker_core.crontab.doctor.rule import rule
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.vehicles import SHELLS

_INTERPRETED = frozenset({"py", "pl", "rb", "js", "php"})
"""Endings of scripts that the shell cannot run."""


@rule(
    "The script cannot be read",
    example="0 5 * * * python3 /home/pi/secret.py",
    better="0 5 * * * python3 /home/pi/sensor.py",
)
def script_unreadable(subject: Subject) -> Problem | None:
    """An interpreter has to read its script: the right to execute it is not enough."""
    user = subject.facts.user or "this user"
    for _, file in subject.program_files:
        if file.executable and not file.readable and _ending(file) in _INTERPRETED | SHELLS:
            return _unreadable(file, user)
    for named, file in _scripts(subject):
        if not file.readable and not file.is_missing and not named.is_by_other_user:
            return _unreadable(file, user)
    return None


def _unreadable(file: FileFacts, user: str) -> Problem:
    return high(
        f"{user} may not read {file.path}, and whatever runs a script has to.",
        file.path,
        f"Let {user} read it.",
        f"ls -l {quote(file.path)}",
    )


def _ending(file: FileFacts) -> str:
    return file.path.rsplit(".", 1)[-1]


def _scripts(subject: Subject) -> Iterator[tuple[NamedFile, FileFacts]]:
    for named in subject.calls.scripts:
        if file := subject.file(named.path):
            yield named, file


@rule(
    "The script's interpreter is missing",
    example="0 5 * * * /home/pi/old-python.py",
    better="0 5 * * * /home/pi/sensor.py",
)
def interpreter_missing(subject: Subject) -> Problem | None:
    """The first line of a script names the program that runs it. A script that names a missing
    program does not start. `#!/usr/bin/env NAME` looks for it on cron's short PATH."""
    for call, file in subject.program_files:
        missing = file.lacks
        if file.looked_up and call.search is not None:
            key = file.looked_up, call.search
            if subject.facts.programs.get(key, "") is None:
                missing = f"{file.looked_up} (on cron's PATH)"
        if missing and not file.first_line.endswith(b"\r"):
            return high(
                f"The first line of {file.path} names {missing}, which is not there.",
                missing,
                "Install that, or correct the line.",
                f"head -1 {quote(file.path)}",
            )
    return None


@rule(
    "The script does not name its interpreter",
    example="0 5 * * * /home/pi/bare.py",
    better="0 5 * * * python3 /home/pi/bare.py",
)
def no_first_line(subject: Subject) -> Problem | None:
    """A script without a first line such as `#!/usr/bin/env python3` is read by the shell, whatever
    its name ends in."""
    for _, file in subject.program_files:
        line = file.first_line
        is_text = file.readable and not line.startswith((b"#!", b"\x7fELF", b"\xef\xbb\xbf"))
        if is_text and _ending(file) in _INTERPRETED:
            return high(
                f"{file.path} has no first line that names its interpreter, so the shell reads it.",
                file.path,
                marked("Write one, such as `#!/usr/bin/env python3`."),
            )
    return None


@rule(
    "The script has Windows line ends",
    example="0 5 * * * /home/pi/windows.sh",
    better="0 5 * * * /home/pi/backup.sh",
)
def windows_script(subject: Subject) -> Problem | None:
    """A carriage return at the end of the first line becomes a part of the interpreter's name, and
    at the end of other lines a part of the commands."""
    for _, file in subject.program_files:
        if file.first_line.endswith(b"\r"):
            return _carriage_returns(file)
    for named, file in _scripts(subject):
        runs_in_shell = named.by in SHELLS or not named.by
        if runs_in_shell and file.first_line.endswith(b"\r") and not file.is_missing:
            return _carriage_returns(file)
    return None


def _carriage_returns(file: FileFacts) -> Problem:
    line = file.first_line.decode("utf-8", "replace").rstrip("\r")
    named = line.removeprefix("#!").strip() if line.startswith("#!") else ""
    what = f"so that {named}^M is looked for" if named else "which the shell does not know"
    return high(
        f"{file.path} was saved with Windows line ends, {what}.",
        file.path,
        "Save it with Linux line ends.",
        f"sed -i 's/\\r$//' {quote(file.path)}",
    )


@rule(
    "The script begins with a byte-order mark",
    example="0 5 * * * /home/pi/marked.sh",
    better="0 5 * * * /home/pi/backup.sh",
)
def byte_order_mark(subject: Subject) -> Problem | None:
    """A byte-order mark before `#!` hides the first line from the kernel, so the shell reads the
    script."""
    for _, file in subject.program_files:
        if file.first_line.startswith(b"\xef\xbb\xbf"):
            return high(
                f"{file.path} begins with a byte-order mark, which hides its first line.",
                file.path,
                "Save it as UTF-8 without one.",
                f"sed -i '1s/^\\xef\\xbb\\xbf//' {quote(file.path)}",
            )
    return None


@rule(
    "The script is missing",
    example="0 5 * * * python3 /home/pi/gone.py",
    better="0 5 * * * python3 /home/pi/sensor.py",
)
def script_missing(subject: Subject) -> Problem | None:
    """The interpreter does not find the script that it is given. Cron starts every job in the home
    folder, so a relative path begins there."""
    for named, file in _scripts(subject):
        if named.is_certain and file.is_unusable(by_other_user=named.is_by_other_user):
            why = "it is a folder" if file.is_folder else file.problem
            return high(
                f"There is no script {file.path}: {why}.",
                named.word.source,
                "Correct the path: cron starts in the home folder.",
                f"ls -l {quote(file.path)}",
            )
    return None


RULES = (
    script_unreadable,
    interpreter_missing,
    no_first_line,
    windows_script,
    byte_order_mark,
    script_missing,
)
