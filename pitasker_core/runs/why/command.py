"""Whether a command can do its work: its program, its script, and how it is written. Pure."""

from shlex import quote

from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.command import SHELLS
from pitasker_core.crontab.document import split_stdin
from pitasker_core.runs.why.answer import Check, bad, good, unknown
from pitasker_core.runs.why.facts import Facts, File

_ABSENT = "No such file or directory"
_INTERPRETED = frozenset({"py", "pl", "rb", "js", "php"})
"""Endings of scripts that the shell cannot run."""


def _program(facts: Facts) -> Check | None:
    name, program, file = "The program", facts.program, facts.program_file
    if program is None:
        return None
    if file is None:
        if program in (facts.user, "root") or program.isdecimal():
            return bad(
                name,
                f"Cron takes {program} for the program, and there is none.",
                "A user's crontab has five fields and no column for a user: remove that word.",
            )
        if facts.program_elsewhere:
            return bad(
                name,
                f"Cron does not find {program} on its PATH ({facts.path}).",
                f"Write {quote(facts.program_elsewhere)}, or add its folder to the crontab's PATH."
                f"{_not_expanded(facts.path)}",
            )
        return bad(
            name,
            f"There is no program {program} on cron's PATH ({facts.path}).",
            f"Install it, or write its whole path.{_not_expanded(facts.path)}",
            f"type {quote(program)}",
        )
    if file.problem:
        if file.problem == _ABSENT:
            evidence = f"There is no file {file.path} on this machine."
        else:
            evidence = f"The file {file.path} cannot be reached: {file.problem}."
        return bad(name, evidence, "Correct the path.", f"ls -l {quote(file.path)}")
    if file.is_folder:
        return bad(name, f"{file.path} is a folder, and no program.", "Correct the path.")
    if not file.executable:
        return bad(
            name,
            f"{file.path} is not executable.",
            "Make it so. Where its disk is mounted with noexec, put it elsewhere.",
            f"chmod +x {quote(file.path)}",
        )
    if not file.readable:
        return _unreadable(name, facts.user, file)
    found = f"{program} is {file.path}" if program != file.path else file.path
    return _first_line(name, file) or good(name, f"{found}, and can be started.")


def _not_expanded(path: str) -> str:
    """cron expands nothing in a setting: `PATH=$PATH:…` is those letters."""
    return " Cron does not expand $ or ~ in a setting." if "$" in path or "~" in path else ""


def _unreadable(name: str, user: str, file: File) -> Check:
    """Of a program that may be started but not read: a script's interpreter has to read it."""
    show = f"ls -l {quote(file.path)}"
    if _ending(file) in _INTERPRETED or _ending(file) in SHELLS:
        return bad(
            name,
            f"{user} may not read {file.path}, and whatever runs a script has to.",
            f"Let {user} read it.",
            show,
        )
    return unknown(
        name,
        f"{user} may start {file.path} but not read it: a program works so, a script does not.",
        f"If it is a script, let {user} read it.",
        show,
    )


def _ending(file: File) -> str:
    return file.path.rsplit(".", 1)[-1]


def _first_line(name: str, file: File) -> Check | None:
    """What is wrong with the first line of an executable script; None if nothing is."""
    line = file.first_line
    if line.startswith(b"\xef\xbb\xbf"):
        return bad(
            name,
            f"{file.path} begins with a byte-order mark, which hides its first line.",
            "Save it as UTF-8 without one.",
            f"sed -i '1s/^\\xef\\xbb\\xbf//' {quote(file.path)}",
        )
    if line.startswith(b"\x7fELF"):
        return None
    if line.endswith(b"\r"):
        return _carriage_returns(name, file)
    if file.lacks:
        return bad(
            name,
            f"The first line of {file.path} names {file.lacks}, which is not there.",
            "Install that, or correct the line.",
            f"head -1 {quote(file.path)}",
        )
    if not line.startswith(b"#!") and _ending(file) in _INTERPRETED:
        return bad(
            name,
            f"{file.path} has no first line that names its interpreter, so the shell reads it.",
            Text("Write one, such as ", Code("#!/usr/bin/env python3"), "."),
        )
    return None


def _carriage_returns(name: str, file: File) -> Check:
    line = file.first_line.decode("utf-8", "replace").rstrip("\r")
    named = line.removeprefix("#!").strip() if line.startswith("#!") else ""
    what = f"so that {named}^M is looked for" if named else "which the shell does not know"
    return bad(
        name,
        f"{file.path} was saved with Windows line ends, {what}.",
        "Save it with Linux line ends.",
        f"sed -i 's/\\r$//' {quote(file.path)}",
    )


def _script(facts: Facts) -> Check | None:
    name, file = "The script", facts.script
    if file is None:
        return None
    if file.problem:
        return bad(
            name,
            f"There is no script {file.path}: {file.problem}.",
            "Correct the path: cron starts in the home folder.",
            f"ls -l {quote(file.path)}",
        )
    if not file.readable:
        show = f"ls -l {quote(file.path)}"
        return bad(name, f"{facts.user} may not read {file.path}.", command=show)
    runs_in_shell = (facts.program or "").rsplit("/", 1)[-1] in SHELLS
    if runs_in_shell and file.first_line.endswith(b"\r"):
        return _carriage_returns(name, file)
    return good(name, f"{file.path} is there, and can be read.")


def _percent(facts: Facts) -> Check:
    name = "Percent signs"
    command = facts.entry.command if facts.entry else facts.task.command
    proper, stdin = split_stdin(command)
    if not stdin:
        return good(name, "No % cuts the command short.")
    advice = Text("Write ", Code("\\%"), " for a percent sign.")
    evidence = f"The command ends at its first %: what cron runs is {proper.strip() or 'nothing'}"
    # A format of `date`, or a substitution that is left open, surely was not meant to end there.
    cut = proper.rstrip("'\"").endswith("+") or proper.count("$(") > proper.count(")")
    return bad(name, f"{evidence}.", advice) if cut else unknown(name, f"{evidence}.", advice)


def _carriage(facts: Facts) -> Check | None:
    name, entry = "Line ends", facts.entry
    if entry is None:
        return None
    if "\r" in entry.raw:
        return bad(
            name,
            "The entry has a carriage return, which cron makes a part of the command.",
            "Save the crontab with Linux line ends: Sync health offers to.",
            "./pitasker validate",
        )
    return good(name, "The entry ends as lines do on Linux.")


def _sudo(facts: Facts) -> Check | None:
    if not facts.uses_sudo:
        return None
    return unknown(
        "sudo",
        "The command uses sudo, which cannot ask for a password here.",
        "It works only if this user may run that command without one.",
        "sudo -l",
    )


CHECKS = (_program, _script, _percent, _carriage, _sudo)
