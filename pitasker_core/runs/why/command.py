"""Whether a command can do its work: its program, its script, and how it is written. Pure.

The rules of the doctor judge; here their problems are put in the order in which cron and the shell
come to them.
"""

from collections.abc import Iterator
from shlex import quote

from pitasker_core.crontab.doctor import program_rules, safety_rules, script_rules, text_rules
from pitasker_core.crontab.doctor.finding import Problem, Severity
from pitasker_core.crontab.doctor.rule import EntryRule
from pitasker_core.runs.why.answer import Result, bad, good, reported, unknown
from pitasker_core.runs.why.facts import Checks, Facts

_RULES: tuple[EntryRule, ...] = (
    text_rules.user_column,
    program_rules.program_missing,
    program_rules.not_executable,
    script_rules.script_missing,
    script_rules.script_unreadable,
    script_rules.byte_order_mark,
    script_rules.windows_script,
    script_rules.interpreter_missing,
    script_rules.no_first_line,
)


def _problems(facts: Facts, *, of_script: bool) -> Iterator[Problem]:
    """The problems of a program, or of the script that it is given."""
    if facts.subject is None:
        return
    scripts = {named.path for named in facts.subject.calls.scripts}
    for rule in _RULES:
        if problem := rule.check(facts.subject):
            is_of_script = rule is script_rules.script_missing or problem.evidence in scripts
            if is_of_script is of_script:
                yield problem


def _program(facts: Facts) -> Result | None:
    if problem := next(_problems(facts, of_script=False), None):
        return reported(problem)
    files = facts.subject.program_files if facts.subject else ()
    if not files:
        return None
    call, file = files[0]
    if not file.readable:
        return unknown(
            f"{facts.user} may start {file.path} but not read it: a program works so, a script "
            "does not.",
            f"If it is a script, let {facts.user} read it.",
            f"ls -l {quote(file.path)}",
        )
    where = f"{call.name} is {file.path}" if call.name != file.path else file.path
    return good(f"{where}, and can be started.")


def _script(facts: Facts) -> Result | None:
    if problem := next(_problems(facts, of_script=True), None):
        return reported(problem)
    scripts = facts.subject.calls.scripts if facts.subject else ()
    script = next((file for named in scripts if (file := facts.file(named.path))), None)
    return good(f"{script.path} exists and can be read.") if script else None


def _percent(facts: Facts) -> Result | None:
    if facts.subject is None:
        return None
    problem = text_rules.percent.check(facts.subject)
    if problem is None:
        return good("No % ends the command early.")
    report = bad if problem.severity is Severity.HIGH else unknown
    return report(problem.message, problem.advice)


def _carriage(facts: Facts) -> Result | None:
    entry = facts.entry
    if entry is None:
        return None
    if "\r" in entry.raw:
        return bad(
            "The entry has a carriage return, which cron takes as part of the command.",
            "Save the crontab with Linux line ends. Sync offers this fix.",
            "./pitasker validate",
        )
    return good("The entry has a Linux line end.")


def _sudo(facts: Facts) -> Result | None:
    problem = safety_rules.sudo_password.check(facts.subject) if facts.subject else None
    return unknown(problem.message, problem.advice, problem.terminal) if problem else None


CHECKS: Checks = {
    "The program": _program,
    "The script": _script,
    "Percent signs": _percent,
    "Line ends": _carriage,
    "sudo": _sudo,
}
