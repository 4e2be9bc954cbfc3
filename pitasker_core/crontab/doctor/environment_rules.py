"""Rules about environment lines, and about lines that cron refuses. Pure."""

import re
from collections.abc import Mapping
from shlex import quote

from pitasker_core.crontab.doctor.facts import FileFacts
from pitasker_core.crontab.doctor.finding import Fix, Problem, high, low, medium
from pitasker_core.crontab.doctor.rule import LineContext, rule
from pitasker_core.crontab.document import (
    COMMAND_LIMIT,
    Blank,
    Comment,
    Entry,
    EnvironmentLine,
    Invalid,
    Line,
    encode,
    parse_line,
)
from pitasker_core.crontab.execution import DEFAULT_PATH

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_TILDE = re.compile(r"(?:(?<=:)|^)~(?=/|:|$)")
_SOON = 80
"""Characters of a line that are shown as evidence."""


@rule(
    "Cron refuses this line",
    example="61 5 * * * /home/pi/backup.sh",
    better="1 5 * * * /home/pi/backup.sh",
)
def invalid_line(line: Line, context: LineContext) -> Problem | None:
    """Debian's cron drops the whole crontab for one bad line: no job of it runs. On a Raspberry Pi
    `crontab` takes some bad schedules all the same, and then runs the command without its first
    word."""
    if not isinstance(line, Invalid):
        return None
    return high(
        f"Cron would not take this line: {line.reason}.",
        line.raw.removesuffix("\n")[:_SOON],
        f"Perhaps {line.suggestion} was meant." if line.suggestion else "Correct the line.",
    )


@rule(
    "The last line has no line end",
    example="0 5 * * * /home/pi/backup.sh",
    better="0 5 * * * /home/pi/backup.sh\n",
)
def no_final_newline(line: Line, context: LineContext) -> Problem | None:
    """Debian's cron drops a whole crontab if its last line has no line end. End the file with an
    empty line."""
    is_complete = line.raw.endswith("\n") or isinstance(line, Blank | Comment)
    if not context.is_last or is_complete or context.dialect.is_cronie:
        return None
    return high(
        "The last line has no line end, and cron leaves out the whole crontab for it.",
        line.raw[:_SOON],
        "Add a line end.",
    )


@rule(
    "A job is read as an environment line",
    example="TZ=UTC 0 5 * * * /home/pi/backup.sh",
    better="0 5 * * * TZ=UTC /home/pi/backup.sh",
)
def job_in_environment_line(line: Line, context: LineContext) -> Problem | None:
    """A line whose first word is followed by `=` is an environment line. A schedule behind it is a
    part of the value, and nothing runs. Put the variable before the command instead."""
    if not isinstance(line, EnvironmentLine) or " " not in line.value:
        return None
    _, _, rest = line.value.partition(" ")
    for text in (rest.strip(), f"{line.name} {line.value}"):
        job = parse_line(text, context.dialect)
        if isinstance(job, Entry) and not job.paused and job.command.strip():
            return high(
                "Cron reads this whole line as a value, so nothing of it runs.",
                line.raw.removesuffix("\n")[:_SOON],
                "Put the variable on a line of its own, or before the command.",
            )
    return None


@rule(
    "Cron expands nothing in an environment line",
    example="PATH=$HOME/bin:/usr/bin:/bin\n0 5 * * * /home/pi/backup.sh",
    better="PATH=/home/pi/bin:/usr/bin:/bin\n0 5 * * * /home/pi/backup.sh",
)
def not_expanded(line: Line, context: LineContext) -> Problem | None:
    """The value of an environment line is taken as it stands: `$HOME`, `$PATH` and `~` in it are
    these characters. With such a PATH, cron finds no program in those folders."""
    if not isinstance(line, EnvironmentLine):
        return None
    match = _VARIABLE.search(line.value) or _TILDE.search(line.value)
    if match is None:
        return None
    value = _expanded(line.value, context)
    report = high if line.name in ("PATH", "HOME", "SHELL") else medium
    return report(
        f"Cron does not expand {match[0]} in {line.name}: it takes these characters.",
        match[0],
        "Write the whole value.",
        fix=Fix("Write the value", value=value) if value else None,
    )


def _expanded(value: str, context: LineContext) -> str | None:
    """The value that was meant, if every variable in it is known."""
    variables: Mapping[str, str] = {
        "PATH": DEFAULT_PATH,
        **({"HOME": context.facts.home} if context.facts.home else {}),
        **(
            {"LOGNAME": context.facts.user, "USER": context.facts.user}
            if context.facts.user
            else {}
        ),
        **context.settings,
    }
    if any((m[1] or m[2]) not in variables for m in _VARIABLE.finditer(value)):
        return None
    if _TILDE.search(value) and "HOME" not in variables:
        return None
    text = _VARIABLE.sub(lambda m: variables[m[1] or m[2]], value)
    return _TILDE.sub(lambda _: variables["HOME"], text)


@rule(
    "A comment is part of the value",
    example="MAILTO=pi@example.org # me\n0 5 * * * /home/pi/backup.sh",
    better="# me\nMAILTO=pi@example.org\n0 5 * * * /home/pi/backup.sh",
)
def comment_in_value(line: Line, context: LineContext) -> Problem | None:
    """Cron knows comments only as whole lines. Behind the value of an environment line they are a
    part of it."""
    if not isinstance(line, EnvironmentLine):
        return None
    value, mark, rest = line.value.partition(" #")
    if not mark:
        return None
    return medium(
        f"The comment is a part of the value of {line.name}.",
        f"#{rest}"[:_SOON],
        "Write the comment on a line of its own.",
        fix=Fix("Remove the comment", value=value.rstrip()) if value.strip() else None,
    )


@rule(
    "The value is too long",
    example="PATH=/usr/bin" + ":/opt/a-folder-with-a-long-name/bin" * 30,
    better="PATH=/usr/local/bin:/usr/bin:/bin",
)
def value_cut(line: Line, context: LineContext) -> Problem | None:
    """Debian's cron cuts an environment line after 998 bytes, without a word."""
    if not isinstance(line, EnvironmentLine) or context.dialect.is_cronie:
        return None
    size = len(encode(line.raw.strip()))
    if size <= COMMAND_LIMIT:
        return None
    return high(
        f"The line has {size} bytes, and cron cuts it after {COMMAND_LIMIT}.",
        line.name,
        "Shorten it.",
    )


_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9@!:%\-.,_+=/]*")


@rule(
    "Cron sends no mail to this address",
    example="MAILTO=pi@example.org, anna@example.org\n0 5 * * * /home/pi/backup.sh",
    better="MAILTO=pi@example.org,anna@example.org\n0 5 * * * /home/pi/backup.sh",
)
def mail_address(line: Line, context: LineContext) -> Problem | None:
    """Cron sends nothing if `MAILTO` holds a blank or a character that is not usual in an address.
    Separate several addresses by a comma alone."""
    if not isinstance(line, EnvironmentLine) or line.name != "MAILTO" or " #" in line.value:
        return None
    value = line.value.strip()
    if not value or _ADDRESS.fullmatch(value) or "$" in value:
        return None
    joined = re.sub(r"[,;\s]+", ",", value)
    return medium(
        "Cron sends no mail to this address: it holds a blank or an unusual character.",
        value[:_SOON],
        "Separate addresses by a comma alone.",
        fix=Fix(f"Write {joined[:_SOON]}", value=joined) if _ADDRESS.fullmatch(joined) else None,
    )


@rule(
    "Cron ignores this time zone",
    example="CRON_TZ=Europe/Berlin\n0 5 * * * /home/pi/backup.sh",
    better="0 5 * * * TZ=Europe/Berlin /home/pi/backup.sh",
)
def zone_ignored(line: Line, context: LineContext) -> Problem | None:
    """Debian's cron reads every schedule in the time zone of the machine. `CRON_TZ` and `TZ` only
    reach the command. (cronie knows `CRON_TZ`.)"""
    if not isinstance(line, EnvironmentLine) or line.name not in ("CRON_TZ", "TZ", "RANDOM_DELAY"):
        return None
    if line.name != "TZ" and context.dialect.is_cronie:
        return None
    if line.name == "RANDOM_DELAY":
        return medium("This cron ignores RANDOM_DELAY.", line.name, "Delay the command by sleep.")
    if context.facts.zone is not None and str(context.facts.zone) == line.value.strip():
        return None
    report = medium if line.name == "CRON_TZ" else low
    return report(
        f"Cron ignores {line.name} for schedules: they are in the time zone of the machine.",
        f"{line.name}={line.value}"[:_SOON],
        "Write the schedule in the time zone of the machine.",
        "timedatectl",
    )


@rule(
    "Cron cannot start this shell",
    example="SHELL=/usr/bin/gone\n0 5 * * * /home/pi/backup.sh",
    better="SHELL=/bin/bash\n0 5 * * * /home/pi/backup.sh",
)
def shell_missing(line: Line, context: LineContext) -> Problem | None:
    """Cron gives every command to `SHELL`. If it cannot start that program, no job below the line
    runs."""
    if not isinstance(line, EnvironmentLine) or line.name != "SHELL":
        return None
    if not line.value.startswith("/"):
        return _no_shell(line.value)
    file = context.facts.files.get(line.value)
    return shell_problem(file) if file else None


def shell_problem(file: FileFacts) -> Problem | None:
    """What is wrong with the program that SHELL names."""
    return _no_shell(file.path) if file.is_missing or not file.executable else None


def _no_shell(path: str) -> Problem:
    return high(
        f"SHELL is {path}, which cron cannot start.",
        path[:_SOON],
        "Change that environment line of the crontab: /bin/sh is always there.",
        fix=Fix("Write /bin/sh", value="/bin/sh"),
    )


@rule(
    "The folder in which jobs start is missing",
    example="HOME=/home/pi/gone\n0 5 * * * /home/pi/backup.sh",
    better="HOME=/home/pi/photos\n0 5 * * * /home/pi/backup.sh",
)
def home_missing(line: Line, context: LineContext) -> Problem | None:
    """Cron starts every job in `HOME`. If that folder does not exist, the job starts in the folder
    of the daemon."""
    if not isinstance(line, EnvironmentLine) or line.name != "HOME":
        return None
    file = context.facts.files.get(line.value)
    return folder_problem(file) if file else None


def folder_problem(file: FileFacts) -> Problem | None:
    """What is wrong with the folder in which a job starts."""
    if not file.is_missing and file.is_folder:
        return None
    why = file.problem or "it is no folder"
    return medium(
        f"The folder {file.path}, in which the command starts, is not there: {why}.",
        file.path,
        "Mount it or make it, or change the environment line HOME.",
        f"ls -ld {quote(file.path)}",
    )


RULES = (
    invalid_line,
    no_final_newline,
    job_in_environment_line,
    not_expanded,
    comment_in_value,
    value_cut,
    mail_address,
    zone_ignored,
    shell_missing,
    home_missing,
)
