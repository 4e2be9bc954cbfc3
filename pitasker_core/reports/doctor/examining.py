"""The findings of the installed crontab, with what the database knows of its tasks."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import text

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, PiTaskerError
from pitasker_core.crontab.doctor import examination
from pitasker_core.crontab.doctor.examination import Report
from pitasker_core.crontab.doctor.facts import NOTHING_KNOWN, MachineFacts
from pitasker_core.crontab.doctor.finding import Finding
from pitasker_core.crontab.doctor.needs import Needs
from pitasker_core.crontab.document import Document, EnvironmentLine, parse
from pitasker_core.crontab.machine_facts import gather, look_up, needs_of
from pitasker_core.reports.doctor import silencing
from pitasker_core.runs.model import RunState
from pitasker_core.sync import service
from pitasker_core.sync.comparison import Comparison
from pitasker_core.sync.install import digest

_FRESH = 30.0
"""How many seconds the facts about the machine are reused for the same crontab."""

_TYPICAL_SECONDS = text("""
    select tasks.crontab_id, percentile_cont(0.5) within group (order by last.seconds)
    from tasks cross join lateral (
        select extract(epoch from ended_at - started_at)::float as seconds, state
        from runs where runs.task = tasks.id order by started_at desc limit 20
    ) last
    where tasks.crontab_id is not null and tasks.deleted_at is null and last.state = :success
    group by tasks.crontab_id having count(*) >= 5
""").bindparams(success=RunState.SUCCESS)
"""The median of the successful runs among the last 20: at least five, to be called typical."""


@dataclass(frozen=True)
class Examined:
    """A crontab with its findings. The findings of silenced rules are listed separately."""

    document: Document
    digest: str
    """The digest of its text. A fix names it, so that it cannot change another text."""
    report: Report
    silenced: tuple[Finding, ...] = ()
    tasks: Mapping[int, int] | None = None
    """The task of each managed entry, by its line. None without a database."""

    def of_line(self, line: int) -> tuple[Finding, ...]:
        """The findings of an entry and of the environment lines that reach it, the worst first."""
        return self.report.of_entry(line)

    def of_task(self, task: int) -> tuple[Finding, ...]:
        """The findings of a task's entry; none when it has no entry."""
        return tuple(finding for line in self._lines(task) for finding in self.of_line(line))

    def silenced_of_task(self, task: int) -> tuple[Finding, ...]:
        """The silenced findings of a task's entry and of the environment lines that reach it."""
        reaching = self.report.reaching
        lines = {at for line in self._lines(task) for at in (line, *reaching.get(line, ()))}
        return tuple(finding for finding in self.silenced if finding.line in lines)

    def _lines(self, task: int) -> list[int]:
        return [line for line, number in (self.tasks or {}).items() if number == task]


@dataclass(frozen=True)
class _Gathered:
    at: float
    needs: Needs
    facts: MachineFacts
    report: Report


_lock = threading.Lock()
_gathered: dict[tuple[str, str], _Gathered] = {}
"""The last examination by the home of PiTasker and the digest of the crontab."""


def examine(
    environment: Environment, comparison: Comparison | None = None, *, fresh: bool = False
) -> Examined:
    """The findings of the installed crontab. Raises CrontabUnavailable when it cannot be read.

    With a `comparison` of the present crontab, the crontab is not read again. The facts about the
    machine are at most 30 seconds old; with `fresh`, they are gathered now. Without a database, no
    rule is silenced and the runs are unknown.
    """
    if comparison is None:
        installed, document = service.read_crontab(environment)
    else:
        installed, document = comparison.text, comparison.document
    sum_ = digest(installed)
    report = _cached(environment, document, sum_, fresh=fresh).report
    try:
        with database.session(environment) as session:
            tasks = silencing.tasks_by_line(session, document)
            silences = silencing.read_silences(session, document, tasks)
    except DatabaseError:
        return Examined(document, sum_, report)
    silenced = tuple(f for f in report.findings if (f.line, f.rule) in silences)
    return Examined(document, sum_, report.without(silences), silenced, tasks)


def examine_draft(
    environment: Environment, schedule: str, command: str, tag: UUID | None = None
) -> tuple[Finding, ...]:
    """The findings of an entry in the place of the tagged entry, or at the end of the crontab.

    Where the crontab cannot be read, the entry is judged as if it stood alone.
    """
    try:
        installed, document = service.read_crontab(environment)
    except PiTaskerError:
        installed, document = None, parse("")
    index = next(iter(document.by_tag.get(tag, ())), None) if tag else None
    installed_facts = _cached(environment, document, digest(installed), fresh=False).facts
    draft = examination.draft_of(document, schedule, command, index)
    at = len(draft.lines) - 1 if index is None else index
    # No facts about other entries are gathered, because this runs while a person types.
    above = (line for line in draft.lines[:at] if isinstance(line, EnvironmentLine))
    alone = replace(draft, lines=(*above, draft.lines[at]))
    facts = replace(
        gather(alone, clock.system_zone(), clock.now()),
        typical_seconds=installed_facts.typical_seconds,
    )
    return examination.examine_draft(document, schedule, command, facts, index)


def examine_text(content: str, document: Document | None = None, *, text_only: bool) -> Examined:
    """The findings of any crontab, without a database.

    `text_only` is for the crontab of another machine: no file of this machine is read.
    """
    document = document or parse(content)
    facts = NOTHING_KNOWN if text_only else gather(document, clock.system_zone(), clock.now())
    return Examined(document, digest(content), examination.examine(document, facts))


def _cached(environment: Environment, document: Document, sum_: str, *, fresh: bool) -> _Gathered:
    key = str(environment.home), sum_
    with _lock:
        last = _gathered.get(key)
        if last and not fresh and time.monotonic() - last.at < _FRESH:
            return last
    needs = last.needs if last else needs_of(document)
    facts = _with_runs(environment, look_up(needs, clock.system_zone(), clock.now()))
    if last and replace(facts, now=last.facts.now) == last.facts:
        done = replace(last, at=time.monotonic())
    else:
        done = _Gathered(time.monotonic(), needs, facts, examination.examine(document, facts))
    with _lock:
        # One crontab at a time: an edit makes the text before it useless.
        _gathered.clear()
        _gathered[key] = done
    return done


def _with_runs(environment: Environment, facts: MachineFacts) -> MachineFacts:
    seconds: dict[UUID, float] = {}
    with suppress(DatabaseError), database.session(environment) as session:
        seconds = {tag: float(median) for tag, median in session.execute(_TYPICAL_SECONDS)}
    return replace(facts, typical_seconds=seconds)
