"""Rules about the shell that runs the command, and about its output. Pure."""

import re
from collections.abc import Callable, Iterator

from pitasker_core.base.text import Code, Text, marked
from pitasker_core.crontab.doctor.finding import Fix, Problem, Severity, high, low, medium
from pitasker_core.crontab.doctor.rule import rule
from pitasker_core.crontab.doctor.subject import POSIX_SHELLS, Subject
from pitasker_core.crontab.shell import Redirection, Script, Step
from pitasker_core.crontab.shell_words import Kind, Operator, Word

_USE_BASH = marked(
    "Write it as sh knows it, or put `SHELL=/bin/bash` above the job in the crontab."
)


@rule(
    "Only bash knows this",
    example="0 5 * * * /home/pi/backup.sh &>> /home/pi/log/backup.log",
    better="0 5 * * * /home/pi/backup.sh >> /home/pi/log/backup.log 2>&1",
)
def bash_only(subject: Subject) -> Problem | None:
    """Cron runs commands with `/bin/sh` unless the crontab sets `SHELL`. On Debian that is dash,
    which does not know `source`, `[[ ]]`, `&>`, arrays, `<( )`, `<<<`, `{a,b}`, `${x^^}` and other
    extensions of bash. It stops with a syntax error, or does something else: it reads
    `command &> file` as `command &` and `> file`."""
    shell = subject.shell_program
    if shell and shell not in POSIX_SHELLS:
        return None
    for look in _LOOKS:
        if problem := look(subject):
            # On another machine it is unknown which shell /bin/sh is.
            is_certain = shell or problem.severity is not Severity.HIGH
            return problem if is_certain else problem._replace(severity=Severity.MEDIUM)
    return None


_OPERATORS = {
    "|&": ("2>&1 |", "A POSIX shell does not know |&."),
    "<<<": (None, "A POSIX shell does not know <<<."),
    "<(": (None, "A POSIX shell does not know <( )."),
    ">(": (None, "A POSIX shell does not know >( )."),
}


_OPERATOR = re.compile(r"&>|\|&|<<<|[<>]\(")


def _operators(subject: Subject) -> Problem | None:
    if not _OPERATOR.search(subject.given):
        return None
    for token in subject.script.tokens:
        if not isinstance(token, Operator):
            continue
        if token.text in ("&>", "&>>"):
            return high(
                "This shell reads &> as & and >: the command runs in the background, and nobody "
                "sees how it ends.",
                token.text,
                Text("Write ", Code(f"{token.text[1:]} FILE 2>&1"), "."),
                fix=_both_redirected(subject, token),
            )
        if token.text in _OPERATORS:
            instead, message = _OPERATORS[token.text]
            fix = (
                subject.replace(f"Write {instead}", token.start, token.end, instead)
                if instead
                else None
            )
            return high(message, token.text, _USE_BASH, fix=fix)
    return None


def _both_redirected(subject: Subject, operator: Operator) -> Fix | None:
    tokens = subject.script.tokens
    following = next((t for t in tokens if t.start >= operator.end), None)
    if not isinstance(following, Word):
        return None
    text = f"{operator.text[1:]} {following.source} 2>&1"
    return subject.replace(f"Write {operator.text[1:]} … 2>&1", operator.start, following.end, text)


_COMMANDS = frozenset({"[[", "declare", "let", "shopt", "pushd", "popd", "typeset", "function"})


def _commands(subject: Subject) -> Problem | None:
    for step in subject.script.steps:
        name = step.name
        if name == "source":
            path = step.words[1].source if len(step.words) > 1 else ""
            fix = None
            if "/" in path:  # `.` looks for a bare name on the PATH only
                word = step.words[0]
                fix = subject.replace("Write . for source", word.start, word.end, ".")
            return high(
                "A POSIX shell does not know source.",
                name,
                marked("Write `. FILE` with the whole path of the file."),
                fix=fix,
            )
        if name in _COMMANDS:
            return high(f"A POSIX shell does not know {name}.", name, _USE_BASH)
        if name in ("[", "test"):
            for word in step.words:
                if word.is_bare and word.source == "==":
                    fix = subject.replace("Write =", word.start, word.end, "=")
                    return high("A POSIX shell compares by = and not ==.", "==", fix=fix)
    return None


def _arrays(subject: Subject) -> Problem | None:
    if "(" not in subject.given:
        return None
    previous: Word | Operator | None = None
    for token in subject.script.tokens:
        is_bracket = isinstance(token, Operator) and token.text == "("
        if is_bracket and previous and previous.end == token.start:
            if isinstance(previous, Word) and previous.source.endswith("="):
                return high("A POSIX shell has no arrays.", f"{previous.source}(", _USE_BASH)
            if isinstance(previous, Operator) and previous.text == "(":
                return medium("A POSIX shell does not know (( )).", "((", _USE_BASH)
        previous = token
    return None


_BRACES = re.compile(r"\{(?:[^{}\s,]*,[^{}\s]*|[\w-]+\.\.[\w-]+(?:\.\.-?\d+)?)\}")
_EXPANSION = re.compile(
    r"\$\{(?:!\w|\w+(?:\[|\^|,|/|@|:\s*[\d(]))|\bRANDOM\b|\bBASH_\w+|\bSECONDS\b"
)
_BASH_VARIABLES = frozenset({"RANDOM", "SECONDS", "UID", "EUID", "HOSTNAME", "BASH_SOURCE"})


def _expansions(subject: Subject) -> Problem | None:
    if "$" not in subject.given and "{" not in subject.given:
        return None
    for word in subject.words:
        if word.is_simple:
            continue
        for part in word.parts:
            if part.kind is Kind.VARIABLE and part.text in _BASH_VARIABLES:
                return medium(
                    f"A POSIX shell has no variable {part.text}: it is empty.",
                    f"${part.text}",
                    _USE_BASH,
                )
            if part.kind is Kind.OPAQUE and (match := _EXPANSION.search(part.text)):
                return high("A POSIX shell does not know this expansion.", match[0], _USE_BASH)
            if part.kind is Kind.PLAIN and (match := _BRACES.search(part.text)):
                return medium(
                    f"A POSIX shell does not expand {match[0]}: the program gets it as it stands.",
                    match[0],
                    _USE_BASH,
                )
        if _ends_dollar_before_quote(word):
            return medium("A POSIX shell does not know $'…'.", "$'", _USE_BASH)
    return None


def _ends_dollar_before_quote(word: Word) -> bool:
    return "$'" in word.source and any(
        part.kind is Kind.PLAIN and part.text.endswith("$") for part in word.parts
    )


_LOOKS: tuple[Callable[[Subject], Problem | None], ...] = (
    _operators,
    _commands,
    _arrays,
    _expansions,
)


@rule(
    "Cron does not set this variable",
    example='0 5 * * * notify-send -u low "$DISPLAY"',
    better="0 5 * * * DISPLAY=:0 notify-send -u low Backup",
)
def unset_variable(subject: Subject) -> Problem | None:
    """Cron sets `HOME`, `LOGNAME`, `PATH` and `SHELL` only. What a login sets, such as `USER`,
    `LANG` or `DISPLAY`, is empty in a job. Set it in the crontab, above the job."""
    if "$" not in subject.given:
        return None
    for word in subject.words:
        for part in word.parts:
            name = part.text
            if part.kind is Kind.VARIABLE and _is_of_login(name) and name not in subject.variables:
                if f"{name}=" in subject.given:
                    continue
                return medium(
                    f"Cron does not set {name}, so ${name} is empty.",
                    f"${name}",
                    f"Set {name} in the crontab, above the job.",
                )
    return None


_OF_LOGIN = frozenset(
    {"USER", "USERNAME", "DISPLAY", "XAUTHORITY", "SSH_AUTH_SOCK", "EDITOR", "VIRTUAL_ENV"}
    | {"DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY", "MAIL", "TERM", "GOPATH", "JAVA_HOME"}
)


def _is_of_login(name: str) -> bool:
    return name in _OF_LOGIN or name.startswith(("XDG_", "NVM_", "PYENV_", "CONDA_"))


# --- Output ------------------------------------------------------------------------------------


@rule(
    "Errors leave no trace",
    example="0 5 * * * /home/pi/backup.sh > /dev/null 2>&1",
    better="0 5 * * * /home/pi/backup.sh >> /home/pi/log/backup.log 2>&1",
)
def output_discarded(subject: Subject) -> Problem | None:
    """Everything that the command prints is thrown away, errors included. When it fails, nobody can
    see why. Write it to a file, or let PiTasker record the runs."""
    # What stands before the last step may be a test, of which nobody wants to read.
    steps = subject.script.steps
    if not steps or not _discards_errors(steps[-1]):
        return None
    return low(
        "Errors of this job are thrown away.",
        "/dev/null",
        "Write them to a file, or record the runs and drop the redirection.",
    )


def _discards_errors(step: Step) -> bool:
    targets = {"1": "", "2": ""}
    for redirection in step.redirections:
        target = (redirection.target.literal if redirection.target else None) or ""
        if redirection.operator in ("&>", "&>>") or (
            redirection.operator == ">&" and redirection.writes
        ):
            targets = {"1": target, "2": target}
        elif redirection.operator == ">&":
            targets[redirection.number or "1"] = targets.get(target, "")
        elif redirection.writes:
            targets[redirection.number or "1"] = target
    return targets["2"] == "/dev/null"


@rule(
    "Output is mailed to nobody",
    example='MAILTO=""\n0 5 * * * /home/pi/backup.sh',
    better='MAILTO=""\n0 5 * * * /home/pi/backup.sh >> /home/pi/log/backup.log 2>&1',
)
def output_lost(subject: Subject) -> Problem | None:
    """Cron mails what a job prints. With `MAILTO=""`, or without a mail program on the machine, it
    drops it. Write the output to a file, or let PiTasker record the runs."""
    if subject.is_recorded or _keeps_output(subject.script):
        return None
    advice = "Write it to a file, or record the runs."
    recipient = subject.settings.get("MAILTO")
    if recipient is not None and not recipient.strip():
        return low("MAILTO is empty, so cron drops what this job prints.", "MAILTO", advice)
    if subject.facts.has_mail_program is False:
        return low(
            "This machine has no mail program, so cron drops what this job prints.", "", advice
        )
    return None


def _keeps_output(script: Script) -> bool:
    if not script.steps:
        return True
    last = script.steps[-1]
    return any(r.writes for r in _redirections(script)) or last.name in ("logger", "mail", "tee")


def _redirections(script: Script) -> Iterator[Redirection]:
    for step in script.steps:
        yield from step.redirections


RULES = (bash_only, unset_variable, output_discarded, output_lost)
