"""Rules about the programs, scripts and folders that a command needs. Pure."""

from collections.abc import Iterator
from shlex import quote

from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.calls import SHELLS, Call, NamedFile
from pitasker_core.crontab.doctor.facts import FileFacts
from pitasker_core.crontab.doctor.finding import Fix, Problem, high, low
from pitasker_core.crontab.doctor.rule import entry_rule
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.doctor.text_rules import user_word
from pitasker_core.crontab.shell import Word

ABSENT = "No such file or directory"
_INTERPRETED = frozenset({"py", "pl", "rb", "js", "php"})
"""Endings of scripts that the shell cannot run."""


@entry_rule(
    "program_missing",
    "Cron does not find the program",
    example="0 5 * * * pip-upgrade",
    better="0 5 * * * /usr/local/bin/pip-upgrade",
)
def program_missing(subject: Subject) -> Problem | None:
    """Cron looks for programs in `/usr/bin` and `/bin` only, unless the crontab sets `PATH`. A
    terminal looks in more folders, such as `/usr/local/bin` and `~/.local/bin`. Write the whole
    path of the program."""
    if user_word(subject) or subject.command.split(" ", 1)[0].isdigit():
        return None  # another rule says more
    for call in subject.calls.calls:
        if call.is_certain and (problem := _missing(subject, call)):
            return problem
    return None


def _missing(subject: Subject, call: Call) -> Problem | None:
    if "/" in call.name:
        file = _file(subject, call.path)
        if file is None or not _counts(file, call.is_by_other_user):
            return None
        return _unreachable(file)
    if call.search is None or subject.facts.programs.get((call.name, call.search), "") is not None:
        return None
    name, search = call.name, call.search
    not_expanded = " Cron does not expand $ or ~ in an environment line."
    hint = not_expanded if "$" in search or "~" in search else ""
    if elsewhere := subject.facts.elsewhere.get(name):
        return high(
            f"Cron does not find {name} on its PATH ({search}).",
            name,
            f"Write {quote(elsewhere)}, or add its folder to the crontab's PATH.{hint}",
            fix=_replaced(subject, call.program, elsewhere),
        )
    return high(
        f"There is no program {name} on cron's PATH ({search}).",
        name,
        f"Install it, or write its whole path.{hint}",
        f"type {quote(name)}",
    )


def _counts(file: FileFacts, is_by_other_user: bool) -> bool:
    """Whether a file is a problem for the user who reaches it."""
    if file.is_folder:
        return True
    # What is out of our reach may be within the reach of root.
    return file.problem == ABSENT if is_by_other_user else file.is_missing


def _unreachable(file: FileFacts) -> Problem:
    if file.is_folder:
        return high(f"{file.path} is a folder, and no program.", file.path, "Correct the path.")
    message = (
        f"There is no file {file.path} on this machine."
        if file.problem == ABSENT
        else f"The file {file.path} cannot be reached: {file.problem}."
    )
    return high(message, file.path, "Correct the path.", f"ls -l {quote(file.path)}")


def _replaced(subject: Subject, word: Word, path: str) -> Fix | None:
    """The fix that writes a path. None inside the quotes of `sh -c` if the path needs quotes."""
    if quote(path) != path and word not in subject.words:
        return None
    return subject.replace(f"Write {path}", word.start, word.end, quote(path))


def _file(subject: Subject, path: str | None) -> FileFacts | None:
    return subject.facts.files.get(path) if path else None


@entry_rule(
    "not_executable",
    "The program is not executable",
    example="0 5 * * * /home/pi/plain.sh",
    better="0 5 * * * sh /home/pi/plain.sh",
)
def not_executable(subject: Subject) -> Problem | None:
    """The shell starts a file only if its user may execute it."""
    for call, file in subject.program_files:
        if not file.executable and call.is_certain:
            return high(
                f"{file.path} is not executable.",
                call.name,
                Text(
                    Code("chmod +x"),
                    " makes it so. Where its disk is mounted with noexec, put it elsewhere.",
                ),
                f"chmod +x {quote(file.path)}",
            )
    return None


@entry_rule(
    "script_unreadable",
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
        if file := _file(subject, named.path):
            yield named, file


@entry_rule(
    "interpreter_missing",
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


@entry_rule(
    "no_first_line",
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
                Text("Write one, such as ", Code("#!/usr/bin/env python3"), "."),
            )
    return None


@entry_rule(
    "windows_script",
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


@entry_rule(
    "byte_order_mark",
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


@entry_rule(
    "script_missing",
    "The script is missing",
    example="0 5 * * * python3 /home/pi/gone.py",
    better="0 5 * * * python3 /home/pi/sensor.py",
)
def script_missing(subject: Subject) -> Problem | None:
    """The interpreter does not find the script that it is given. Cron starts every job in the home
    folder, so a relative path begins there."""
    for named, file in _scripts(subject):
        if named.is_certain and _counts(file, named.is_by_other_user):
            why = "it is a folder" if file.is_folder else file.problem
            return high(
                f"There is no script {file.path}: {why}.",
                named.word.source,
                "Correct the path: cron starts in the home folder.",
                f"ls -l {quote(file.path)}",
            )
    return None


@entry_rule(
    "folder_missing",
    "The folder is missing",
    example="0 5 * * * cd /home/pi/gone && ls",
    better="0 5 * * * cd /home/pi/photos && ls",
)
def folder_missing(subject: Subject) -> Problem | None:
    """`cd` fails, and what follows it with `&&` does not run. What follows it with `;` runs in the
    home folder instead."""
    for named in subject.calls.folders:
        file = _file(subject, named.path)
        if file and named.is_certain and (file.is_missing or not file.is_folder):
            why = file.problem or "it is no folder"
            return high(
                f"The command cannot enter the folder {file.path}: {why}.",
                named.word.source,
                "Make it, mount it, or correct the path.",
                f"ls -ld {quote(file.path)}",
            )
    return None


@entry_rule(
    "output_file",
    "The shell cannot write its output file",
    example="0 5 * * * /home/pi/backup.sh >> /home/pi/gone/backup.log 2>&1",
    better="0 5 * * * /home/pi/backup.sh >> /home/pi/log/backup.log 2>&1",
)
def output_file(subject: Subject) -> Problem | None:
    """The shell opens the file behind `>` or `>>` before it starts the program. If that fails, the
    program does not start."""
    for named in subject.calls.outputs:
        if reason := output_problem(subject, named.path):
            return high(
                f"The shell cannot write to {named.path}, and does not start the command then: "
                f"{reason}.",
                named.word.source,
                "Make its folder, or write elsewhere.",
                f"ls -ld {quote(named.path.rpartition('/')[0] or '/')}",
            )
    return None


def output_problem(subject: Subject, path: str) -> str:
    """Why the shell cannot write to a path; empty if it can, or if that is unknown."""
    file = _file(subject, path)
    if file is None:
        return ""
    if file.is_folder:
        return "it is a folder"
    if not file.is_missing:
        return "" if file.writable else "Permission denied"
    if file.problem not in (ABSENT, "Not a directory"):
        return file.problem
    parent = path.rpartition("/")[0] or "/"
    folder = _file(subject, parent)
    if folder is None:
        return ""
    if folder.is_missing or not folder.is_folder:
        return f"there is no folder {parent}"
    return "" if folder.writable else "Permission denied"


@entry_rule(
    "relative_path",
    "A path depends on the folder in which cron starts",
    example="0 5 * * * ./backup.sh >> backup.log",
    better="0 5 * * * cd /home/pi && ./backup.sh >> backup.log",
)
def relative_path(subject: Subject) -> Problem | None:
    """Cron starts every job in the home folder, or in the crontab's `HOME`. A path that does not
    begin with `/` begins there, wherever the script itself is."""
    if subject.calls.folders:
        return None
    for call in subject.calls.calls:
        if "/" in call.name and call.name[0] != "/":
            return _relative(subject, call.program, call.path)
    for named in (*subject.calls.scripts, *subject.calls.outputs):
        if named.is_relative:
            return _relative(subject, named.word, named.path)
    return None


def _relative(subject: Subject, word: Word, path: str | None) -> Problem:
    fix = _replaced(subject, word, path) if path and subject.facts.home else None
    where = f", so this is {path}" if fix else ""
    return low(
        f"{word.source} is a relative path. Cron starts in the home folder{where}.",
        word.source,
        "Write the whole path.",
        fix=fix,
    )


RULES = (
    program_missing,
    not_executable,
    script_unreadable,
    interpreter_missing,
    no_first_line,
    windows_script,
    byte_order_mark,
    script_missing,
    folder_missing,
    output_file,
    relative_path,
)
