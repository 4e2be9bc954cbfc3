from shlex import quote

from pitasker_core.base.text import marked
from pitasker_core.crontab.calls import Call
from pitasker_core.crontab.doctor import script_rules
from pitasker_core.crontab.doctor.facts import ABSENT, FileFacts
from pitasker_core.crontab.doctor.finding import Fix, Problem, high, low
from pitasker_core.crontab.doctor.rule import rule
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.doctor.text_rules import user_word
from pitasker_core.crontab.shell_words import Word


@rule(
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
        file = subject.file(call.path)
        if file is None or not file.is_unusable(by_other_user=call.is_by_other_user):
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


_MAKE_EXECUTABLE = marked(
    "`chmod +x` makes it so. Where its disk is mounted with noexec, put it elsewhere."
)


@rule(
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
                _MAKE_EXECUTABLE,
                f"chmod +x {quote(file.path)}",
            )
    return None


@rule(
    "The folder is missing",
    example="0 5 * * * cd /home/pi/gone && ls",
    better="0 5 * * * cd /home/pi/photos && ls",
)
def folder_missing(subject: Subject) -> Problem | None:
    """`cd` fails, and what follows it with `&&` does not run. What follows it with `;` runs in the
    home folder instead."""
    for named in subject.calls.folders:
        file = subject.file(named.path)
        if file and named.is_certain and (file.is_missing or not file.is_folder):
            why = file.problem or "it is no folder"
            return high(
                f"The command cannot enter the folder {file.path}: {why}.",
                named.word.source,
                "Make it, mount it, or correct the path.",
                f"ls -ld {quote(file.path)}",
            )
    return None


@rule(
    "The shell cannot write its output file",
    example="0 5 * * * /home/pi/backup.sh >> /home/pi/gone/backup.log 2>&1",
    better="0 5 * * * /home/pi/backup.sh >> /home/pi/log/backup.log 2>&1",
)
def output_file(subject: Subject) -> Problem | None:
    """The shell opens the file behind `>` or `>>` before it starts the program. If that fails, the
    program does not start."""
    for named in subject.calls.outputs:
        if reason := _output_problem(subject, named.path):
            return high(
                f"The shell cannot write to {named.path}, and does not start the command then: "
                f"{reason}.",
                named.word.source,
                "Make its folder, or write elsewhere.",
                f"ls -ld {quote(named.path.rpartition('/')[0] or '/')}",
            )
    return None


def _output_problem(subject: Subject, path: str) -> str:
    """Why the shell cannot write to a path; empty if it can, or if that is unknown."""
    file = subject.file(path)
    if file is None:
        return ""
    if file.is_folder:
        return "it is a folder"
    if not file.is_missing:
        return "" if file.writable else "Permission denied"
    if file.problem not in (ABSENT, "Not a directory"):
        return file.problem
    parent = path.rpartition("/")[0] or "/"
    folder = subject.file(parent)
    if folder is None:
        return ""
    if folder.is_missing or not folder.is_folder:
        return f"there is no folder {parent}"
    return "" if folder.writable else "Permission denied"


@rule(
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
    *script_rules.RULES,
    folder_missing,
    output_file,
    relative_path,
)
