"""Rules about the text of an entry: percent signs, line ends, quotes, comments and length. Pure."""

import re

from pitasker_core.base.text import marked
from pitasker_core.crontab.doctor.finding import Fix, Problem, high, low, medium
from pitasker_core.crontab.doctor.rule import rule
from pitasker_core.crontab.doctor.subject import Subject, size_with_tag
from pitasker_core.crontab.shell_words import Word

_READS_INPUT = frozenset(
    {"mail", "mailx", "sendmail", "msmtp", "cat", "tee", "bc", "at", "batch", "wall", "write"}
    | {"psql", "mysql", "mariadb", "sqlite3", "sh", "bash", "dash", "python3", "perl", "ssh"}
    | {"wc", "xargs", "read", "lpr", "logger", "telnet", "nc", "ftp", "sftp", "gnuplot"}
)
_LONG = 500
"""Characters from which a command is hard to read in one line."""


@rule(
    "A % cuts the command",
    example="0 5 * * * tar -czf /home/pi/backup-$(date +%F).tgz /home/pi/photos",
    better="0 5 * * * tar -czf /home/pi/backup-$(date +\\%F).tgz /home/pi/photos",
)
def percent(subject: Subject) -> Problem | None:
    """Cron ends the command at the first `%` without a backslash. The rest of the line becomes the
    command's standard input, and each further `%` becomes a line break. Write `\\%` for a percent
    sign (crontab(5))."""
    if not subject.stdin:
        return None
    proper = subject.proper.strip()
    if proper and not subject.programs.isdisjoint(_READS_INPUT) and not _is_cut(subject):
        return low(
            f"The command ends at its first %: what cron runs is {proper}. The rest is its input.",
            subject.stdin[:60],
            marked("If a percent sign is meant, write `\\%`."),
        )
    message = f"The command ends at its first %: what cron runs is {proper or 'nothing'}."
    advice = marked("Write `\\%` for a percent sign.")
    fix = Fix("Escape the percent signs", command=_escape_percents(subject.command))
    report = high if _is_cut(subject) else medium
    return report(message, subject.stdin[:60], advice, fix=fix)


def _is_cut(subject: Subject) -> bool:
    """Whether the command surely was not meant to end at its first `%`."""
    proper = subject.proper
    last = proper.rsplit(" ", 1)[-1]
    # A format of `date`, an escaped character of a URL, or a quote that the `%` leaves open.
    return (
        subject.script.unfinished not in ("", "\\")
        or proper.rstrip("'\"").endswith("+")
        or ("://" in last and re.match(r"%[0-9A-Fa-f]{2}", subject.stdin) is not None)
    )


def _escape_percents(command: str) -> str:
    """The command with a backslash before each `%` that has none, by cron's two-state scan."""
    escaped, pieces = False, []
    for character in command:
        pieces.append("\\%" if character == "%" and not escaped else character)
        escaped = character == "\\" and not escaped
    return "".join(pieces)


@rule(
    "A Windows line end is part of the command",
    example="0 5 * * * /home/pi/backup.sh\r",
    better="0 5 * * * /home/pi/backup.sh",
)
def carriage_return(subject: Subject) -> Problem | None:
    """Cron does not drop the carriage return of a Windows line end. It becomes the last character
    of the command: a file name ends in it, and a program without arguments is not found."""
    if "\r" in subject.command:
        if subject.command.rstrip("\r").count("\r"):
            return medium("A carriage return stands in the command, and cron runs it with it.")
        return high(
            "A carriage return stands in the command, and cron runs it with it.",
            advice="Save this line with Linux line ends.",
            fix=Fix("Remove the carriage return", command=subject.command.rstrip("\r")),
        )
    if "\r" in subject.entry.words:
        return low(
            "A carriage return stands behind the tag.",
            advice="Save this line with Linux line ends.",
        )
    return None


@rule(
    "A quote or bracket is never closed",
    example="0 5 * * * echo 'it is five >> /home/pi/log/times",
    better="0 5 * * * echo 'it is five' >> /home/pi/log/times",
)
def open_quote(subject: Subject) -> Problem | None:
    """The shell refuses a command with a quote or bracket that is never closed, and runs nothing of
    it."""
    opened = subject.script.unfinished
    if subject.stdin or opened in ("", "\\"):
        return None
    return high(
        f"The command opens {opened} and never closes it, so the shell runs nothing.",
        opened,
        "Close it, or put a backslash before it.",
    )


@rule(
    "A backslash at the end continues nothing",
    example="0 5 * * * /home/pi/backup.sh \\",
    better="0 5 * * * /home/pi/backup.sh --all",
)
def trailing_backslash(subject: Subject) -> Problem | None:
    """A crontab has no continuation lines: a job is one line, and the line below is read as a line
    of its own. Put a long command into a script."""
    if subject.script.unfinished != "\\" or subject.stdin:
        return None
    fix = None
    if not subject.neighbours.next_is_invalid:
        fix = Fix("Remove the backslash", command=subject.command.rstrip("\\").rstrip(" \t"))
    return high(
        "The command ends in a backslash. Cron does not join it with the line below.",
        "\\",
        "Write the job in one line, or put it into a script.",
        fix=fix if fix and fix.command else None,
    )


@rule(
    "There is nothing to run",
    example="0 5 * * * # /home/pi/backup.sh",
    better="0 5 * * * /home/pi/backup.sh",
)
def no_command(subject: Subject) -> Problem | None:
    """Cron takes a schedule without a command, and runs an empty command. A command that begins
    with `#` is a comment for the shell, so nothing runs either."""
    if not subject.command.strip():
        return high("There is no command: cron runs nothing.")
    if subject.script.comment is not None and not subject.script.tokens:
        return high(
            "The whole command is a comment, so nothing runs.",
            subject.given[:60],
            "Comment out the whole line, schedule included, or pause the task.",
        )
    return None


@rule(
    "The schedule has a sixth field",
    example="0 0 5 * * 1 /home/pi/backup.sh",
    better="0 5 * * 1 /home/pi/backup.sh",
)
def sixth_field(subject: Subject) -> Problem | None:
    """A schedule has five fields, without seconds and without a year. Cron takes a sixth field for
    the program."""
    first = subject.command.split(" ", 1)[0]
    if not first.isdigit():
        return None
    return high(
        f"Six fields: cron runs the program “{first}”.",
        first,
        "Remove the field that is too many. Cron knows no seconds.",
    )


@rule(
    "The command begins with a user",
    example="0 5 * * * root /home/pi/backup.sh",
    better="0 5 * * * /home/pi/backup.sh",
)
def user_column(subject: Subject) -> Problem | None:
    """Only `/etc/crontab` and the files in `/etc/cron.d` have a column for the user. In a user's
    crontab, cron runs that word as the program."""
    name = user_word(subject)
    if name is None:
        return None
    word = subject.words[0]
    following = subject.words[1].start
    return high(
        f"Cron takes {name} for the program.",
        name,
        "A user's crontab has five fields and no column for a user: remove that word.",
        fix=subject.replace(f"Remove {name}", word.start, following, ""),
    )


def user_word(subject: Subject) -> str | None:
    """The first word of the command if it names a user and no program."""
    if len(subject.words) < 2 or not subject.script.steps:
        return None
    name = subject.words[0].literal
    facts = subject.facts
    if name is None or (name not in ("root", facts.user) and name not in facts.users):
        return None
    program = subject.facts.programs.get((name, subject.path), "unknown")
    # On an unknown machine, only root is certain to exist.
    is_program = program is not None and (program != "unknown" or name != "root")
    begins = subject.script.steps[0].words[:1] == subject.words[:1]
    return name if begins and not is_program and subject.words[1].source[0] != "=" else None


@rule(
    "A comment is part of the command",
    example="0 5 * * * /home/pi/backup.sh#daily",
    better="# daily\n0 5 * * * /home/pi/backup.sh",
)
def comment(subject: Subject) -> Problem | None:
    """Cron knows comments only as whole lines. What follows a `#` later in a line goes to the
    shell, which drops it only where a word begins with `#`."""
    advice = "Write the comment on a line of its own, above the job."
    at = subject.script.comment
    if at is not None and subject.script.tokens and not _has_comments(subject.shell_program):
        return medium(
            f"SHELL is {subject.shell}, which may take the comment for a part of the command.",
            subject.given[at:][:60],
            advice,
        )
    for call in subject.calls.calls[:1]:
        program, hash_sign, rest = call.name.partition("#")
        if hash_sign and program.endswith((".sh", ".py", ".pl", ".rb")):
            return high(
                f"The shell takes #{rest} for a part of the name {program}.",
                call.name,
                advice,
                fix=_without_comment(subject, call.program),
            )
    return None


def _without_comment(subject: Subject, word: Word) -> Fix | None:
    if not word.is_bare:
        return None
    at = word.start + word.source.index("#")
    return subject.replace("Remove the comment", at, len(subject.given), "")


_COMMENT_SHELLS = frozenset(
    {"", "sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "rbash", "fish", "python3", "busybox"}
)


def _has_comments(shell: str) -> bool:
    return shell in _COMMENT_SHELLS or shell.startswith(("python", "ksh"))


@rule(
    "The command is too long",
    example="0 5 * * * /home/pi/backup.sh " + "--exclude=/home/pi/cache " * 37,
    better="0 5 * * * /home/pi/backup.sh --exclude-from=/home/pi/exclude",
)
def too_long(subject: Subject) -> Problem | None:
    """Debian's cron refuses a whole crontab for one command of more than 998 bytes. PiTasker's tag
    needs 51 of them. A long command is also hard to read: put it into a script."""
    limit = subject.dialect.command_limit
    size = size_with_tag(subject.command)
    advice = "Put the command into a script."
    if size > limit and subject.entry.tag is None:
        return medium(
            f"The command has {size - 51} bytes. With PiTasker's tag it would be longer than the "
            f"{limit} bytes that cron takes.",
            advice=advice,
        )
    if len(subject.command) > _LONG:
        return low(f"The command has {len(subject.command)} characters in one line.", advice=advice)
    return None


RULES = (
    percent,
    carriage_return,
    open_quote,
    trailing_backslash,
    no_command,
    sixth_field,
    user_column,
    comment,
    too_long,
)
