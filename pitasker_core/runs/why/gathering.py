"""What a task, its entry and the machine are like: the facts that are judged.

Looks only; what this user may not see is left unknown.
"""

import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from pitasker_core import tasks
from pitasker_core.base import clock, cron_daemon, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.crontab import command as commands
from pitasker_core.crontab.document import Document, split_stdin
from pitasker_core.crontab.execution import unescape
from pitasker_core.runs import history, machine, manual, spool
from pitasker_core.runs.cron_log import reader
from pitasker_core.runs.cron_log.log_lines import Kind
from pitasker_core.runs.why.answer import Answer
from pitasker_core.runs.why.facts import Disk, Facts, File, Output, Spooled
from pitasker_core.runs.why.rules import judge
from pitasker_core.sync import service
from pitasker_core.tasks import Task

_SPOOL = Path("/var/spool/cron/crontabs")
_BY_CRON = ("observed", "recorded", "caught up")
_LOG_READ = timedelta(days=3)
"""How far back cron's log is read while somebody waits; the runs that were seen go further."""
_LOOKED_AT = 100
"""Runs among which the last one that cron started is looked for."""
_FIRST_LINE = 512
"""Bytes in which a script's first line is looked for."""


def explain(environment: Environment, number: int) -> Answer:
    """Why a task did not run, or that all is well. Raises NotFound, DatabaseError."""
    if not environment.read_only:
        spool.collect(environment)
    return judge(facts(environment, tasks.get(environment, number)))


def facts(environment: Environment, task: Task) -> Facts:
    """Everything that is known of a task, of its entry and of the machine."""
    document, unreadable = _crontab(environment)
    user = pwd.getpwuid(os.getuid()).pw_name
    found = Facts(
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
        _with_log(environment, _with_job(found)),
        last_start=next((run for run in runs if run.source in _BY_CRON), None),
        by_hand=next((run for run in runs if run.source == "by hand"), None),
        running=next(iter(history.runs(environment, 1, task.id, "Running")), None),
        missed=next(iter(history.runs(environment, 1, task.id, "Missed")), None),
    )


def _with_log(environment: Environment, found: Facts) -> Facts:
    """The facts from cron's log since the task was due, if that is not long ago."""
    due = found.due
    log = reader.find(environment)
    if isinstance(log, reader.Unreadable):
        return replace(found, log_problem=log.message, log_advice=log.advice)
    if due is None or found.now - due > _LOG_READ:
        return found
    try:
        events = reader.read(log, {}, due - timedelta(minutes=1), found.user).events
    except OSError as problem:
        return replace(found, log_problem=f"{log} cannot be read: {problem.strerror or problem}.")
    tag = f"PITASKER_ID:{found.task.tag}"
    starts = [e.at for e in events if e.kind is Kind.STARTED and tag in e.text]
    # Not those of the jobs themselves: with `cron -L` it says of each how it failed.
    errors = [
        (e.at, e.text)
        for e in events
        if e.kind is Kind.ERROR
        and (e.user == found.user or f"/{found.user}" in e.text)
        and "grandchild" not in e.text
    ]
    return replace(
        found,
        logged_start=starts[-1] if starts else None,
        complaint=errors[-1] if errors else None,
        # A journal that is kept in memory knows nothing of before.
        log_is_seen=found.booted_at is None or due >= found.booted_at,
    )


# --- The job: its program, its files, its disks ----------------------------------------------


def _with_job(found: Facts) -> Facts:
    """The facts about what the command needs, found where cron would look for it."""
    entry = found.entry
    env = manual.cron_environment(found.document, found.index)
    proper, _ = split_stdin(entry.command if entry else found.task.command)
    reading = commands.read(unescape(proper)[0])
    home, path = env["HOME"], env["PATH"]
    folder = str(Path(home, reading.folder or ""))
    program = reading.program
    where = None
    if program:
        where = str(Path(folder, program)) if "/" in program else shutil.which(program, path=path)
    outputs = tuple(_output(Path(folder, one)) for one in reading.outputs)
    script = str(Path(folder, reading.script)) if reading.script else None
    needed = {home, folder, *reading.paths, *filter(None, (where, script))}
    mounted = mounts(Path("/proc/self/mounts"))
    written = [Path(folder), *(Path(one.path).parent for one in outputs)]
    return replace(
        found,
        recorder=file(entry.recorder.path, path) if entry and entry.recorder else None,
        shell=file(env["SHELL"], path),
        path=path,
        home=file(folder, path),
        not_mounted=tuple(not_mounted(needed, mounts(Path("/etc/fstab")), mounted)),
        disks=_disks(written, mounted),
        program=program,
        program_file=file(where, path) if where else None,
        program_elsewhere=shutil.which(program) if program and not where else None,
        script=file(script, path) if script else None,
        outputs=outputs,
        uses_sudo=reading.uses_sudo,
    )


def file(path: str, search: str) -> File:
    """A file as this user sees it. `search` is the PATH on which its first line is looked up."""
    line = b""
    try:
        mode = Path(path).stat().st_mode
        readable, executable = os.access(path, os.R_OK), os.access(path, os.X_OK)
        if readable and stat.S_ISREG(mode):
            with Path(path).open("rb") as opened:
                line = opened.read(_FIRST_LINE).split(b"\n", 1)[0]
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it cannot be reached"
        return File(path, reason, executable=False)
    return File(path, "", stat.S_ISDIR(mode), readable, executable, line, _lacking(line, search))


def _lacking(first_line: bytes, search: str) -> str:
    """The program that a script's first line names, if it is not there."""
    if not first_line.startswith(b"#!"):
        return ""
    words = os.fsdecode(first_line[2:]).split()
    if not words:
        return ""
    if shutil.which(words[0]) is None:
        return words[0]
    if words[0].endswith("/env"):
        asked = next((w for w in words[1:] if not w.startswith("-") and "=" not in w), None)
        if asked and shutil.which(asked, path=search) is None:
            return f"{asked} (on cron's PATH)"
    return ""


def _output(path: Path) -> Output:
    written = path
    try:
        if stat.S_ISDIR(path.stat().st_mode):
            return Output(str(path), "it is a folder")
    except (FileNotFoundError, NotADirectoryError):
        written = path.parent
        if not paths.is_folder(written):
            return Output(str(path), f"there is no folder {written}")
    except (OSError, ValueError) as problem:
        return Output(str(path), getattr(problem, "strerror", None) or "it cannot be reached")
    return Output(str(path), "" if os.access(written, os.W_OK) else "Permission denied")


def mounts(table: Path) -> dict[str, str]:
    """Where a table such as /etc/fstab mounts things, each with its options."""
    found = {}
    try:
        lines = table.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return {}
    for line in lines:
        words = [_ESCAPE.sub(lambda code: chr(int(code[1], 8)), word) for word in line.split()]
        if len(words) >= 4 and words[0][0] != "#" and words[1].startswith("/"):
            found[words[1]] = words[3]
    return found


_ESCAPE = re.compile(r"\\([0-7]{3})")


def not_mounted(
    paths: Iterable[str], wanted: Iterable[str], mounted: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Paths that lie on a wanted mount point which is not mounted, each with it."""
    absent = set(wanted) - set(mounted)
    for path in sorted(paths):
        for mount in sorted(absent):
            if path == mount or path.startswith(f"{mount.rstrip('/')}/"):
                yield path, mount


def _disks(folders: Iterable[Path], mounted: dict[str, str]) -> tuple[Disk, ...]:
    """The file systems on which folders lie that are there."""
    found: dict[str, Disk] = {}
    for folder in folders:
        place = paths.resolve(folder)
        if place is None:
            continue
        try:
            room = os.statvfs(place)
        except OSError:
            continue
        name = next(str(p) for p in (place, *place.parents) if str(p) in mounted or p.parent == p)
        # Some file systems, btrfs for one, have no fixed number of files, and say 0.
        files = room.f_favail if room.f_files else 1
        read_only = bool(room.f_flag & os.ST_RDONLY)
        found[name] = Disk(name, room.f_bavail * room.f_frsize, files, read_only)
    return tuple(found.values())


# --- The machine and the user ----------------------------------------------------------------


def _crontab(environment: Environment) -> tuple[Document | None, str]:
    try:
        return service.read_crontab(environment)[1], ""
    except PiTaskerError as problem:
        return None, problem.user_message


def may_use_crontab(user: str, etc: Path = Path("/etc")) -> bool | None:
    """What /etc/cron.allow and /etc/cron.deny say of a user; None when they cannot be read.

    The first alone counts where it is there; without either Debian lets everybody (crontab(1)).
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
    """A crontab's file as the daemon finds it; None where this user may not look."""
    try:
        found = path.lstat()
    except OSError:
        return None
    try:
        owner = pwd.getpwuid(found.st_uid).pw_name
    except KeyError:
        owner = str(found.st_uid)
    is_link = not stat.S_ISREG(found.st_mode)
    return Spooled(str(path), stat.S_IMODE(found.st_mode), owner, is_link, found.st_nlink)


def _account_problem(user: str) -> str | None:
    """`chage` may read what this user may not, and tells everybody about themselves."""
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
    """Why an account may not be used, by what `chage -l` lists; empty when it may.

    Both count days in UTC, as /etc/shadow does. To PAM (pam_unix) an account has expired on its
    day already, and a password only after it. A locked password does not matter to cron: PAM's
    account check asks only for dates.
    """
    dates = dict(line.split(":", 1) for line in listing.splitlines() if ":" in line)
    said = {name.strip(): value.strip() for name, value in dates.items()}
    if (day := _day(said.get("Account expires", ""))) and today >= day:
        return "The account has expired"
    password = said.get("Password expires", "")
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
