import re

from pitasker_core.base import terminal
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import on_one_line
from pitasker_core.cli.answer import Answer, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, switch
from pitasker_core.cli.files import read_file
from pitasker_core.crontab.doctor.documentation import render_documentation
from pitasker_core.crontab.doctor.finding import Finding, Severity
from pitasker_core.crontab.document import decode
from pitasker_core.crontab.execution import Difference, Execution, compare_environments
from pitasker_core.reports import doctor, explanation
from pitasker_core.reports.doctor import Examined, Place
from pitasker_core.runs.login_environment import read_login_environment
from pitasker_core.server.answers.doctor import Examination, Fixed
from pitasker_core.server.answers.doctor import Execution as ExecutionAnswer
from pitasker_core.server.answers.problems import Problem
from pitasker_core.sync import service

_LARGEST = 16 * 1024 * 1024
"""Bytes read of a file. Cron itself takes 10,000 lines."""
_SHOWN = 12
"""Line numbers shown for a repeated finding."""
_MARKS = {Severity.HIGH: "✗", Severity.MEDIUM: "!", Severity.LOW: "·"}


def add_to(commands: Commands) -> None:
    examine = command(commands, "doctor", _doctor)
    examine.add_argument(
        "file", nargs="?", help="a crontab; - is standard input (default: the installed crontab)"
    )
    switch(examine, "--text-only", "do not look at files of this machine")
    acts = examine.add_mutually_exclusive_group()
    switch(acts, "--rules", "print the documentation of all rules in Markdown")
    place = ("RULE", "TASK|line:LINE")
    acts.add_argument("--silence", nargs=2, metavar=place, help="stop reporting a rule there")
    acts.add_argument("--unsilence", nargs=2, metavar=place, help="report the rule there again")
    acts.add_argument("--fix", nargs=2, metavar=("RULE", "LINE"), help="apply the fix of a finding")

    explain = command(commands, "explain", _explain)
    explain.add_argument("place", metavar="TASK|line:LINE")
    switch(
        explain,
        "--login",
        "compare with your login shell's environment; this runs your login files",
    )


def _doctor(environment: Environment, words: Words) -> Answer | int:
    if words.rules:
        terminal.print_bytes([render_documentation().encode()])
        return 0
    if words.silence or words.unsilence:
        return _change_silence(environment, words)
    if words.fix:
        return _fix(environment, *words.fix)
    examined = _examined(environment, words)
    is_good = examined.report.worst is not Severity.HIGH
    return Answer(Examination.of(examined), _described(examined, words.file is None), is_good)


def _examined(environment: Environment, words: Words) -> Examined:
    if words.file is None and not words.text_only:
        return doctor.examine(environment)
    if words.file is None:
        text, document = service.read_crontab(environment)
        return doctor.examine_text(text or "", document, text_only=True)
    data = read_file(words.file, _LARGEST)
    return doctor.examine_text(decode(data), text_only=words.text_only)


def _described(examined: Examined, is_installed: bool) -> str:
    lines: list[str] = []
    repeated = examined.report.repeated
    for line, all_findings in sorted(examined.report.by_line.items()):
        findings = [f for f in all_findings if (f.rule, f.message) not in repeated]
        if not findings:
            continue
        text = on_one_line(examined.document.lines[line - 1].raw)
        task = (examined.tasks or {}).get(line)
        lines += [f"line {line}{f', task {task}' if task else ''}: {text[:160]}"]
        lines += [part for finding in findings for part in _finding(finding, is_installed)]
        lines.append("")
    for (rule, message), numbers in repeated.items():
        shown = ", ".join(map(str, numbers[:_SHOWN])) + (", …" if len(numbers) > _SHOWN else "")
        lines += [f"lines {shown}:", f"  {on_one_line(message)} [{rule}]", ""]
    counts = [f"{examined.report.count(severity)} {severity}" for severity in Severity]
    lines.append(f"Findings: {', '.join(counts)}.")
    if examined.silenced:
        lines[-1] += f" Silenced: {len(examined.silenced)}."
    return "\n".join(lines)


def _finding(finding: Finding, is_installed: bool) -> list[str]:
    mark = _MARKS[finding.severity]
    parts = [f"  {mark} {on_one_line(finding.message)} [{finding.rule}, {finding.severity}]"]
    parts += [f"      {on_one_line(step)}" for step in (finding.advice, finding.terminal) if step]
    if fix := finding.fix:
        new = fix.schedule or fix.command or fix.value or ""
        command = f" (./pitasker doctor --fix {finding.rule} {finding.line})"
        parts.append(f"      fix: {on_one_line(new)}{command if is_installed else ''}")
    return parts


def _change_silence(environment: Environment, words: Words) -> Answer:
    rule, what = words.silence or words.unsilence
    place = _place(environment, what)
    if words.silence:
        doctor.silence(environment, ACTOR, rule, place)
        text = f"{rule} is no longer reported there."
    else:
        doctor.unsilence(environment, ACTOR, rule, place)
        text = f"{rule} is reported there again."
    data = {"rule": rule, "task": place.task, "line": place.line, "silenced": bool(words.silence)}
    return Answer(data, text)


def _place(environment: Environment, what: str) -> Place:
    task, line = _numbers(what)
    return doctor.locate(environment, task=task, line=line)


def _numbers(what: str) -> tuple[int | None, int | None]:
    """Return the task's id or the line number that a word names."""
    match = re.fullmatch(r"(line:)?([1-9][0-9]{0,8})", what)
    if match is None:
        raise InvalidSyntax(
            f"{what} is neither a task nor a line.", "Write 7 for task 7, or line:12 for line 12."
        )
    number = int(match[2])
    return (None, number) if match[1] else (number, None)


def _fix(environment: Environment, rule: str, what: str) -> Answer:
    match = re.fullmatch(r"(?:line:)?([1-9][0-9]{0,8})", what)
    if match is None:
        raise InvalidSyntax(f"{what} is not a line number.", "Write the number of the line.")
    line = int(match[1])
    done = doctor.apply_fix(environment, ACTOR, rule, line)
    problem = done.problem
    text = "Fixed." if problem is None else f"Saved. {problem.user_message}"
    return Answer(Fixed(rule, line, Problem.of(problem)), text, problem is None)


def _explain(environment: Environment, words: Words) -> Answer:
    task, line = _numbers(words.place)
    if task is not None:
        execution = explanation.explain_task(environment, task)
    else:
        execution = explanation.explain_line(environment, line or 0)
    differences = None
    if words.login:
        differences = compare_environments(execution.environment, read_login_environment())
    data = ExecutionAnswer.of(execution, differences)
    return Answer(data, _explained(execution, differences))


def _explained(execution: Execution, differences: list[Difference] | None) -> str:
    stdin = "empty" if execution.stdin is None else repr(decode(execution.stdin))
    rows = [
        ("shell", execution.shell),
        ("command", execution.command),
        ("standard input", stdin),
        ("folder", execution.folder),
        ("output", execution.output),
        *sorted(execution.environment.items()),
    ]
    text = table(("cron", "value"), rows)
    if differences is None:
        return f"{text}\n\n--login compares this with your login shell. It runs your login files."
    if not differences:
        return f"{text}\n\nYour login shell sets the same environment."
    unset = "(not set)"
    others = [(d.name, d.cron or unset, d.login or unset) for d in differences]
    return f"{text}\n\nYour login shell differs:\n\n{table(('name', 'cron', 'login'), others)}"
