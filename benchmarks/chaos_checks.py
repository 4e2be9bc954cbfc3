"""What must hold after a chaos run, and what its editors know."""

import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text

from pitasker_core import database, tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import CrontabReverted, MassRemoval, PiTaskerError
from pitasker_core.crontab.document import parse
from pitasker_core.runs import records, spool
from pitasker_core.sync import service
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request

_NUMBER = re.compile(r"/bin/chaos-(\d+)")
_COMMENT = re.compile(r"^# comment (\d+)$", re.MULTILINE)
OWN_LINES = (
    "# A comment of a person",
    'MAILTO=""',
    "0 4 * * * /bin/own-1   # a line that PiTasker never touches",
)


@dataclass
class Truth:
    """What each editor was told about its numbered lines."""

    owners: dict[int, str] = field(default_factory=dict)
    saved: dict[int, int | None] = field(default_factory=dict)
    """The lines that must be in the crontab, with the task's id where it is known."""
    gone: set[int] = field(default_factory=set)
    """The lines that must not be in the crontab."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, editor: str) -> int:
        """Return a new number. Its line may be in the crontab or not."""
        with self._lock:
            number = len(self.owners) + 1
            self.owners[number] = editor
            return number

    def added(self, number: int, task: int | None = None) -> None:
        """An editor was told that this line is saved."""
        with self._lock:
            self.saved[number] = task
            self.gone.discard(number)

    def deleting(self, number: int) -> None:
        """An editor asks to delete this line: from now on it may be there or not."""
        with self._lock:
            self.saved.pop(number, None)

    def deleted(self, number: int) -> None:
        """An editor was told that this line is deleted."""
        with self._lock:
            self.gone.add(number)

    def of(self, editor: str) -> list[tuple[int, int]]:
        """Return the saved lines of an editor that have a task."""
        with self._lock:
            return [(n, t) for n, t in self.saved.items() if t and self.owners[n] == editor]

    def is_of(self, number: int, editor: str) -> bool:
        """Whether this line is an editor's."""
        return self.owners.get(number) == editor

    def __str__(self) -> str:
        return f"{len(self.owners)} lines; {len(self.saved)} must be there, {len(self.gone)} not"


def number_in(line: str) -> int:
    """Return the number of an entry's line; 0 without one."""
    match = _NUMBER.search(line)
    return int(match[1]) if match else 0


def first_task(output: bytes) -> int:
    """Return the id of the first task in a command's answer."""
    return int(json.loads(output)["tasks"][0]["id"])


def settle(environment: Environment) -> str:
    """Let the database win where a person is asked. Returns the error of the last attempt.

    To confirm an old editor's text instead would restore the tasks that were deleted since.
    """
    problem = ""
    choices: dict[UUID, Policy] = {}
    for _ in range(30):
        try:
            request = Request("chaos", "sync", choices=choices, policy=Policy.DATABASE)
            service.sync(environment, request)
            if not service.preview(environment).plan.changes:
                return ""
            problem = "the plan is not empty after a sync"
        except PiTaskerError as error:
            problem = error.user_message
            if isinstance(error, MassRemoval | CrontabReverted):
                changes = service.preview(environment).plan.changes
                choices = {change.tag: Policy.DATABASE for change in changes}
        time.sleep(1)
    return problem


def check(environment: Environment, truth: Truth) -> list[str]:
    """Return one sentence for each promise that does not hold."""
    if problem := settle(environment):
        return [f"the database and the crontab do not converge: {problem}"]
    installed, document = service.read_crontab(environment)
    lines = (installed or "").splitlines()
    violations = [f"line {n + 1} is not valid: {lines[n]!r}" for n in document.invalid_lines]
    if str(parse(installed or "")) != installed:
        violations.append("the crontab does not survive parsing")
    violations += _check_lines(truth, installed or "")
    violations += [
        f"a person's line is lost: {own}"
        for own in OWN_LINES
        if not any(line.startswith(own) for line in lines)  # an import adds a tag at the end
    ]
    return violations + _check_tasks(environment, truth) + _check_rest(environment)


def count_doubles(installed: str) -> int:
    """Return how many lines are there twice, with two schedules.

    An editor that was opened before a line was imported changes the line. PiTasker asks. If a
    person then confirms the text as it is, the line stands beside the imported entry.
    """
    return sum(count > 1 for count in Counter(_NUMBER.findall(installed)).values())


def _check_lines(truth: Truth, installed: str) -> list[str]:
    present = Counter(int(n) for n in (*_NUMBER.findall(installed), *_COMMENT.findall(installed)))
    entries = Counter(
        line.partition(" # PITASKER_ID")[0] for line in installed.splitlines() if number_in(line)
    )
    lost = sorted(set(truth.saved) - set(present))
    back = sorted(truth.gone & set(present))
    return [
        *(f"line {n} of {truth.owners[n]} is lost" for n in lost),
        *(f"line {n} of {truth.owners[n]} was deleted and is there" for n in back),
        *(f"{count} times in the crontab: {line}" for line, count in entries.items() if count > 1),
    ]


def _check_tasks(environment: Environment, truth: Truth) -> list[str]:
    present = {task.id for task in tasks.listing(environment).tasks}
    return [
        f"task {task} of line {number} is not in the database"
        for number, task in truth.saved.items()
        if task and task not in present
    ]


def _check_rest(environment: Environment) -> list[str]:
    """Check that no run, file, transaction or lock is left."""
    violations = []
    deadline = time.monotonic() + 20  # runs by hand take 2 s
    while spool.collect(environment) and time.monotonic() < deadline:
        time.sleep(0.5)
    if runs := records.left(environment):
        violations.append(f"{len(runs)} runs never end: {runs[0].name}")
    files = [*environment.home.glob("*unfinished*"), *environment.backups.glob("*unfinished*")]
    violations += [f"an unfinished file is left: {file.name}" for file in files]
    with database.session(environment) as session:
        waiting = session.scalar(text("select count(*) from pg_locks where not granted"))
        idle = session.scalar(
            text(
                "select count(*) from pg_stat_activity where state like 'idle in transaction%'"
                " and now() - state_change > interval '10 seconds'"
            )
        )
    if waiting or idle:
        violations.append(f"{waiting} locks are waited for, {idle} transactions are left open")
    return violations
