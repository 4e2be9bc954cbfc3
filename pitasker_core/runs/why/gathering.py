"""Gather the facts about a task, its entry and the machine.

Only reads. What this user may not see stays unknown.
"""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from pitasker_core import tasks
from pitasker_core.base import clock, cron_daemon, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.identity import user_name
from pitasker_core.crontab.document import Document, EnvironmentLine
from pitasker_core.crontab.machine_facts import gather, look_at_file, read_mounts
from pitasker_core.runs import history, machine, spool
from pitasker_core.runs.cron_log import reader
from pitasker_core.runs.cron_log.log_lines import Kind
from pitasker_core.runs.cron_log.log_source import Unreadable, find_log
from pitasker_core.runs.model import RunSource
from pitasker_core.runs.why.answer import Answer
from pitasker_core.runs.why.facts import Disk, Facts, Spooled, drafted_entry
from pitasker_core.runs.why.rules import judge
from pitasker_core.sync import service
from pitasker_core.tasks import Task

_SPOOL = Path("/var/spool/cron/crontabs")
_BY_CRON = (RunSource.OBSERVED, RunSource.RECORDED, RunSource.CAUGHT_UP)
_LOG_READ = timedelta(days=3)
"""How far back cron's log is read while somebody waits; the runs that were seen go further."""
_LOOKED_AT = 100
"""Runs among which the last one that cron started is looked for."""


def explain(environment: Environment, number: int) -> Answer:
    """Why a task did not run, or that all is well. Raises NotFound and DatabaseError."""
    if not environment.read_only:
        spool.collect(environment)
    return judge(facts(environment, tasks.get(environment, number)))


def facts(environment: Environment, task: Task) -> Facts:
    """Gather all facts about a task, its entry and the machine."""
    document, unreadable = _crontab(environment)
    user = user_name()
    facts = Facts(
        task=task,
        user=user,
        now=clock.now(),
        zone=clock.system_zone(),
        document=document,
        unreadable=unreadable,
        is_demo=environment.demo,
        cron_alive=cron_daemon.is_alive(),
        may_use_crontab=may_use_crontab(user),
        spooled=None if environment.demo else spooled(_SPOOL / user),
        account_problem=_account_problem(user),
        clock_synchronised=machine.is_synchronised(),
        booted_at=machine.look().booted_at,
    )
    runs = history.runs(environment, _LOOKED_AT, task.id)
    return replace(
        _with_log(environment, _with_job(facts)),
        last_start=next((run for run in runs if run.source in _BY_CRON), None),
        by_hand=next((run for run in runs if run.source == RunSource.BY_HAND), None),
        running=next(iter(history.runs(environment, 1, task.id, "Running")), None),
        missed=next(iter(history.runs(environment, 1, task.id, "Missed")), None),
    )


def _with_log(environment: Environment, facts: Facts) -> Facts:
    """The facts from cron's log since the task was due, if that is not long ago."""
    due = facts.due
    log = find_log(environment)
    if isinstance(log, Unreadable):
        return replace(facts, log_problem=log.message, log_advice=log.advice)
    if due is None or facts.now - due > _LOG_READ:
        return facts
    try:
        events = reader.read(log, {}, due - timedelta(minutes=1), facts.user).events
    except OSError as problem:
        return replace(facts, log_problem=f"{log} cannot be read: {problem.strerror or problem}.")
    tag = f"PITASKER_ID:{facts.task.tag}"
    starts = [e.at for e in events if e.kind is Kind.STARTED and tag in e.text]
    # Not those of the jobs themselves: with `cron -L` it says of each how it failed.
    errors = [
        (e.at, e.text)
        for e in events
        if e.kind is Kind.ERROR
        and (e.user == facts.user or f"/{facts.user}" in e.text)
        and "grandchild" not in e.text
    ]
    return replace(
        facts,
        logged_start=starts[-1] if starts else None,
        complaint=errors[-1] if errors else None,
        # A journal that is kept in memory knows nothing of before.
        log_is_seen=facts.booted_at is None or due >= facts.booted_at,
    )


# --- The job: its program, its files, its disks ----------------------------------------------


def _with_job(facts: Facts) -> Facts:
    """Add the facts about what the command needs, by cron's PATH and folder."""
    entry = facts.entry or drafted_entry(facts.task, facts.dialect)
    if entry is None:
        return facts
    # The entry alone, as if it were not paused, with the environment lines that reach it.
    lines = facts.document.lines[: facts.index] if facts.document else ()
    above = tuple(line for line in lines if isinstance(line, EnvironmentLine))
    alone = Document((*above, replace(entry, prefix="")), facts.dialect)
    facts = replace(facts, machine=gather(alone, facts.zone, facts.now))
    recorder = look_at_file(entry.recorder.path) if entry.recorder else None
    outputs = facts.subject.calls.outputs if facts.subject else ()
    written = [facts.folder or "/", *(str(Path(named.path).parent) for named in outputs)]
    return replace(facts, recorder=recorder, disks=_disks(map(Path, written)))


def _disks(folders: Iterable[Path]) -> tuple[Disk, ...]:
    """The file systems of the existing folders."""
    disks: dict[str, Disk] = {}
    mounted = {mount.place for mount in read_mounts(Path("/proc/self/mounts"))}
    for folder in folders:
        place = paths.resolve(folder)
        if place is None:
            continue
        try:
            room = os.statvfs(place)
        except OSError:
            continue
        name = next(str(p) for p in (place, *place.parents) if str(p) in mounted or p.parent == p)
        # Some file systems, such as btrfs, have no fixed number of files and report 0.
        files = room.f_favail if room.f_files else 1
        read_only = bool(room.f_flag & os.ST_RDONLY)
        disks[name] = Disk(name, room.f_bavail * room.f_frsize, files, read_only)
    return tuple(disks.values())


# --- The machine and the user ----------------------------------------------------------------


def _crontab(environment: Environment) -> tuple[Document | None, str]:
    try:
        return service.read_crontab(environment)[1], ""
    except PiTaskerError as problem:
        return None, problem.user_message


def may_use_crontab(user: str, etc: Path = Path("/etc")) -> bool | None:
    """Whether /etc/cron.allow and /etc/cron.deny allow a user; None if they cannot be read.

    If the first one exists, only it counts. Without both, Debian allows everybody (crontab(1)).
    """
    if user == "root":
        return True
    for name, listed in (("cron.allow", True), ("cron.deny", False)):
        try:
            names = (etc / name).read_text(errors="replace").split()
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return (user in names) == listed
    return True


def spooled(path: Path) -> Spooled | None:
    """A crontab's file in the spool; None if this user may not see it."""
    try:
        status = path.lstat()
    except OSError:
        return None
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    is_link = not stat.S_ISREG(status.st_mode)
    return Spooled(str(path), stat.S_IMODE(status.st_mode), owner, is_link, status.st_nlink)


def _account_problem(user: str) -> str | None:
    """Ask `chage`, which may read /etc/shadow and shows users their own account."""
    try:
        done = subprocess.run(
            ["chage", "-l", user],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return expired(done.stdout, clock.now().date())


def expired(listing: str, today: date) -> str:
    """Why an account cannot be used, from the output of `chage -l`; empty if it can.

    Days are in UTC, as in /etc/shadow. For PAM (pam_unix) an account expires at the start of its
    day, and a password at the end. A locked password does not matter to cron, because PAM's account
    check looks only at dates.
    """
    dates = dict(line.split(":", 1) for line in listing.splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in dates.items()}
    if (day := _day(fields.get("Account expires", ""))) and today >= day:
        return "The account has expired"
    password = fields.get("Password expires", "")
    if password == "password must be changed":  # noqa: S105
        return "The account's password must be changed"
    if (day := _day(password)) and today > day:
        return "The account's password has expired"
    return ""


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%b %d, %Y").date()  # noqa: DTZ007 - a date
    except ValueError:
        return None  # "never"
