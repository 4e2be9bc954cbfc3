"""Check what a command needs when cron starts it: recorder, shell, folder, disks, files. Pure."""

from shlex import quote

from pitasker_core.crontab.doctor import environment_rules, program_rules, safety_rules
from pitasker_core.runs.why.answer import Result, bad, good, reported, unknown
from pitasker_core.runs.why.facts import Checks, Facts

_FULL = 1_000_000
"""A disk with fewer free bytes counts as full."""


def _recorder(facts: Facts) -> Result | None:
    file = facts.recorder
    if file is None:
        return None
    step = ("Put it back.", "./pitasker sync")
    if file.problem:
        return bad(f"The recorder {file.path} is missing: {file.problem}.", *step)
    if not file.executable:
        return bad(f"The recorder {file.path} cannot be executed.", *step)
    if file.lacks:
        return bad(
            f"The recorder needs {file.lacks}, which is missing.",
            command="sudo apt install python3",
        )
    return good(f"{file.path} exists and can be started.")


def _shell(facts: Facts) -> Result | None:
    file = facts.file(facts.subject.shell) if facts.subject else None
    if file is None:
        return None
    if problem := environment_rules.shell_problem(file):
        return bad(problem.message, problem.advice)
    return good(f"{file.path} runs the command.")


def _home(facts: Facts) -> Result | None:
    file = facts.file(facts.folder)
    if file is None:
        return None
    if problem := environment_rules.folder_problem(file):
        return reported(problem)
    return good(f"{file.path} is there.")


def _mounts(facts: Facts) -> Result:
    if facts.subject and (problem := safety_rules.not_mounted.check(facts.subject)):
        return reported(problem)
    return good("Every disk in /etc/fstab that it needs is mounted.")


def _disk(facts: Facts) -> Result | None:
    if not facts.disks:
        return None
    for disk in facts.disks:
        if disk.read_only:
            return unknown(
                f"The disk at {disk.name} is mounted read-only: nothing can be written there.",
                "If this is not intended, the disk may be broken.",
                "dmesg | grep -i error | tail",
            )
        if disk.free_bytes < _FULL or not disk.free_files:
            return bad(
                f"The disk at {disk.name} is full.", "Free some space.", f"df -h {quote(disk.name)}"
            )
    free = min(facts.disks, key=lambda disk: disk.free_bytes)
    return good(f"{free.free_bytes / 1e9:.1f} GB are free at {free.name}.")


def _output(facts: Facts) -> Result | None:
    subject = facts.subject
    if subject is None or not subject.calls.outputs:
        return None
    if problem := program_rules.output_file.check(subject):
        return reported(problem)
    paths = [named.path for named in subject.calls.outputs if facts.file(named.path)]
    return good(f"{', '.join(paths)} can be written.") if paths else None


CHECKS: Checks = {
    "The recorder": _recorder,
    "The shell": _shell,
    "The folder it starts in": _home,
    "Its disks are mounted": _mounts,
    "Free disk space": _disk,
    "Output files": _output,  # the shell opens them before it looks for the program
}
