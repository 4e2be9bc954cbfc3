"""Find cron's log.

Cron logs to syslog. Its lines are in systemd's journal, in a file, or in both. A user who may read
one of them sees every start of every job, without a change of the crontab.
"""

import grp
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pitasker_core.base import clock, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.text import Code, Text, marked

JOURNALS = (Path("/var/log/journal"), Path("/run/log/journal"))
FILES = (Path("/var/log/cron.log"), Path("/var/log/cron"), Path("/var/log/syslog"))
"""The files in which distributions store cron's log. The first one in use counts."""

_STALE = timedelta(days=2)
"""A file without writes for this long belongs to a syslog daemon that no longer runs."""


@dataclass(frozen=True)
class Source:
    """A readable log: a file, or the journal if there is no file."""

    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file or "the journal")


@dataclass(frozen=True)
class Unreadable:
    """Why cron's log cannot be read, and what to do."""

    message: str
    advice: str = ""


def find_log(environment: Environment) -> Source | Unreadable:
    """The log of this machine's cron, or why this user cannot read it."""
    if environment.cron_log:
        if os.access(environment.cron_log, os.R_OK):
            return Source(environment.cron_log)
        return Unreadable(
            f"{environment.cron_log} cannot be read.",
            "PITASKER_CRON_LOG must name a file that this user may read.",
        )
    if environment.demo:
        return Unreadable("Cron does not run the demo's crontab.")
    closed: list[Path] = []
    if shutil.which("journalctl"):
        for journal in _journals():
            if os.access(journal / "system.journal", os.R_OK):
                return Source()
            closed.append(journal)
    for file in FILES:
        if _in_use(file):
            if os.access(file, os.R_OK):
                return Source(file)
            closed.append(file)
    return _closed(closed)


def _journals() -> Iterator[Path]:
    """The folders of this machine's journal. Journals of other machines may be beside them."""
    try:
        machine = Path("/etc/machine-id").read_text().strip()
    except OSError:
        return
    folders = [folder / machine for folder in JOURNALS if machine]
    yield from filter(paths.exists, folders)


def _in_use(file: Path) -> bool:
    try:
        return file.stat().st_mtime > (clock.now() - _STALE).timestamp()
    except OSError:
        return False


def _closed(logs: list[Path]) -> Unreadable:
    if not logs:
        return Unreadable(
            "This machine keeps no log of cron.",
            marked("Install rsyslog (`sudo apt install rsyslog`), or record runs."),
        )
    groups = {_group(log) for log in logs} - {"root", ""}
    if not groups:
        return Unreadable(
            f"Only root may read {logs[0]}, where cron's log is.", "Record runs instead."
        )
    group = "adm" if "adm" in groups else sorted(groups)[0]
    return Unreadable(
        f"Only members of the group {group} may read cron's log.",
        Text(
            Code(f"sudo usermod -aG {group} $USER"), ", then log in again and start PiTasker again."
        ),
    )


def _group(log: Path) -> str:
    try:
        return grp.getgrgid(log.stat().st_gid).gr_name
    except (OSError, KeyError):
        return ""
