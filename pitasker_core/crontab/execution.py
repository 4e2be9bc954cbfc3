"""What cron runs for an entry: shell, command, standard input, folder and environment. Pure.

Sources: crontab(5) and do_command.c of Debian's cron 3.0pl1 and of cronie.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from pitasker_core.crontab.document import Document, Entry, decode, encode, split_stdin
from pitasker_core.crontab.schedule import Dialect

DEFAULT_PATH = "/usr/bin:/bin"
"""The PATH that cron sets, which is shorter than that of a terminal."""

DEFAULT_SHELL = "/bin/sh"

_ESCAPE = re.compile(r"\\([\\%])")


@dataclass(frozen=True, slots=True)
class Execution:
    """One start of an entry by cron."""

    shell: str
    command: str
    """The text that the shell is given behind `-c`."""
    stdin: bytes | None
    """None is an empty standard input."""
    folder: str
    environment: Mapping[str, str]
    mail_to: str | None
    """Who gets what the command prints; None if cron drops it."""
    is_recorded: bool

    @property
    def output(self) -> str:
        """What becomes of what it prints, in a sentence or two."""
        recorded = "PiTasker records it. " if self.is_recorded else ""
        return recorded + (
            f"Cron mails it to {self.mail_to}." if self.mail_to else "Cron drops it."
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """A variable that a login shell sets otherwise. None is a variable that is not set."""

    name: str
    cron: str | None
    login: str | None


def describe_execution(document: Document, index: int, user: str, home: str) -> Execution:
    """What cron runs for the entry at an index. Raises NotFound when there is none.

    The recorder is left out: it runs the same command in the same way.
    """
    entry: Entry = document.entry(index)
    proper, stdin = split_stdin(entry.command)
    environment = environment_of(document, index, user, home)
    mail_to = document.environment(index).get("MAILTO", user)
    return Execution(
        environment["SHELL"],
        unescape(proper, document.dialect)[0],
        read_stdin(stdin) if stdin else None,
        environment["HOME"],
        environment,
        mail_to.strip() or None,
        entry.recording.on,
    )


def environment_of(
    document: Document | None, index: int | None, user: str, home: str
) -> dict[str, str]:
    """The environment that cron sets for an entry, or at the end of the crontab."""
    settings = document.environment(index) if document else {}
    dialect = document.dialect if document else Dialect.DEBIAN
    return cron_variables(settings, user, home, dialect)


def cron_variables(
    settings: Mapping[str, str], user: str, home: str, dialect: Dialect = Dialect.DEBIAN
) -> dict[str, str]:
    """cron's own variables, then the environment lines. An empty user or home is unknown."""
    own = {"SHELL": DEFAULT_SHELL, "PATH": DEFAULT_PATH}
    if home:
        own["HOME"] = home
    if user and dialect.is_cronie:
        own["USER"] = user
    # An environment line cannot set LOGNAME (crontab(5)).
    fixed = {"LOGNAME": user} if user else {}
    return {**own, **settings, **fixed}


def unescape(proper: str, dialect: Dialect = Dialect.DEBIAN) -> tuple[str, tuple[int, ...] | None]:
    """What cron gives to the shell, and where each character of it stands in the command.

    A backslash goes together with what follows it (do_command.c). Debian's cron drops it before `%`
    and before another backslash, cronie before `%` only. The places end with the length of the
    command; None means that they are the same.
    """
    if "\\" not in proper:
        return proper, None
    pieces: list[str] = []
    offsets: list[int] = []
    at = 0
    for escaped in _ESCAPE.finditer(proper):
        drops = escaped[1] == "%" or not dialect.is_cronie
        pieces.append(proper[at : escaped.start()] + (escaped[1] if drops else escaped[0]))
        offsets += range(at, escaped.start())
        offsets += [escaped.start()] if drops else [escaped.start(), escaped.start() + 1]
        at = escaped.end()
    pieces.append(proper[at:])
    offsets += range(at, len(proper) + 1)
    return "".join(pieces), tuple(offsets)


def escape(text: str, dialect: Dialect) -> str:
    """A text for the shell as it must stand in the command of a crontab."""
    if not dialect.is_cronie:
        text = text.replace("\\", "\\\\")
    return text.replace("%", "\\%")


def stdin_text(stdin: str) -> str:
    """The part of a command from the first `%` on as text, `%` being a line's end."""
    return re.sub(r"(\\%)|%", lambda match: "%" if match[1] else "\n", stdin[1:])


def read_stdin(stdin: str) -> bytes:
    """What cron feeds to the command: the `stdin_text`, and a line end where cron adds one."""
    text = stdin_text(stdin)
    # cron asks which character other than a backslash it wrote last (do_command.c): it ends no line
    # that holds only backslashes.
    last = text.rstrip("\\")[-1:]
    return encode(f"{text}\n" if last not in ("", "\n") else text)


def terminal_command(run: Execution) -> str:
    """A command for a terminal that starts the entry as cron does: `env` passes on nothing else."""
    variables = [f"{name}={value}" for name, value in run.environment.items()]
    words = ["env", "-i", *variables, run.shell, "-c", run.command]
    job = " ".join(map(shlex.quote, words))
    if run.stdin:
        job = f"printf %s {shlex.quote(decode(run.stdin))} | {job}"
    else:
        job = f"{job} </dev/null"
    return f"(cd {shlex.quote(run.folder)} && {job})"


def missing_folders(cron: Mapping[str, str], login: Mapping[str, str]) -> list[str]:
    """The folders in which a login shell looks for programs, and cron does not."""
    own = cron.get("PATH", "").split(":")
    others = dict.fromkeys(login.get("PATH", "").split(":"))
    return [folder for folder in others if folder and folder not in own]


def compare_environments(cron: Mapping[str, str], login: Mapping[str, str]) -> list[Difference]:
    """The variables that differ between cron's environment and a login shell's, by name."""
    # What belongs to a shell, a folder and a terminal, not to the person.
    ignored = {"_", "SHLVL", "PWD", "OLDPWD", "TERM"}
    return [
        Difference(name, cron.get(name), login.get(name))
        for name in sorted({*cron, *login} - ignored)
        if cron.get(name) != login.get(name)
    ]
