"""What a command finds when cron starts it: recorder, shell, folder, disks, output files. Pure."""

from shlex import quote

from pitasker_core.runs.why.answer import Check, bad, good, unknown
from pitasker_core.runs.why.facts import Facts

_FULL = 1_000_000
"""Bytes left on a disk below which next to nothing can be written."""


def _recorder(facts: Facts) -> Check | None:
    name, file = "The recorder", facts.recorder
    if file is None:
        return None
    step = ("Put it back.", "./pitasker sync")
    if file.problem:
        return bad(name, f"The recorder {file.path} is not there: {file.problem}.", *step)
    if not file.executable:
        return bad(name, f"The recorder {file.path} cannot be executed.", *step)
    if file.lacks:
        return bad(
            name,
            f"The recorder needs {file.lacks}, which is not there.",
            command="sudo apt install python3",
        )
    return good(name, f"{file.path} is there, and can be started.")


def _shell(facts: Facts) -> Check | None:
    name, file = "The shell", facts.shell
    if file is None:
        return None
    if file.problem or not file.executable:
        return bad(
            name,
            f"SHELL is {file.path}, which cron cannot start.",
            "Change that setting of the crontab: /bin/sh is always there.",
        )
    return good(name, f"{file.path} runs the command.")


def _home(facts: Facts) -> Check | None:
    name, file = "The folder it starts in", facts.home
    if file is None:
        return None
    if file.problem or not file.is_folder:
        why = file.problem or "it is no folder"
        return bad(
            name,
            f"The folder {file.path}, in which the command starts, is not there: {why}.",
            "Mount it or make it, or change the crontab's setting HOME.",
            f"ls -ld {quote(file.path)}",
        )
    return good(name, f"{file.path} is there.")


def _mounts(facts: Facts) -> Check:
    name = "Its disks are mounted"
    if facts.not_mounted:
        path, mount = facts.not_mounted[0]
        return bad(
            name,
            f"{path} lies on {mount}, which /etc/fstab names and which is not mounted.",
            "Mount it.",
            f"sudo mount {quote(mount)}",
        )
    return good(name, "Every disk in /etc/fstab that it needs is mounted.")


def _disk(facts: Facts) -> Check | None:
    name = "Room on the disk"
    if not facts.disks:
        return None
    for disk in facts.disks:
        if disk.read_only:
            return unknown(
                name,
                f"The disk at {disk.name} is mounted read-only: nothing can be written there.",
                "If that is not meant, the disk may be broken.",
                "dmesg | grep -i error | tail",
            )
        if disk.free_bytes < _FULL or not disk.free_files:
            return bad(
                name, f"The disk at {disk.name} is full.", "Make room.", f"df -h {quote(disk.name)}"
            )
    free = min(facts.disks, key=lambda disk: disk.free_bytes)
    return good(name, f"{free.free_bytes / 1e9:.1f} GB are free at {free.name}.")


def _output(facts: Facts) -> Check | None:
    name = "Where it writes"
    if not facts.outputs:
        return None
    for output in facts.outputs:
        if output.problem:
            return bad(
                name,
                f"The shell cannot write to {output.path}, and does not start the command then: "
                f"{output.problem}.",
                "Make its folder, or write elsewhere.",
                f"ls -ld {quote(output.path.rpartition('/')[0] or '/')}",
            )
    return good(name, f"{', '.join(output.path for output in facts.outputs)} can be written.")


CHECKS = (
    _recorder,
    _shell,
    _home,
    _mounts,
    _disk,
    _output,  # the shell opens it before it looks for the program
)
