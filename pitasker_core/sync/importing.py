"""Import: make tasks of entries that are in the crontab."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, PiTaskerError
from pitasker_core.crontab.document import Document, Entry, Invalid, suggest_names
from pitasker_core.crontab.entry_spec import check_entry, spec_of
from pitasker_core.crontab.recording import PLAIN
from pitasker_core.crontab.rejection import refuse, to_error
from pitasker_core.database import direct
from pitasker_core.database.events import EventKind, NewEvent
from pitasker_core.database.tables import TaskRow
from pitasker_core.sync import install, store
from pitasker_core.sync.merge import Fields
from pitasker_core.sync.service import Comparison, Request, compare, read_crontab, sync_locked
from pitasker_core.sync.sides import BaseEntry
from pitasker_core.sync.store import BaseMove, OperationKind


@dataclass(frozen=True)
class Import:
    """An entry that a person chose to import: its line (1 is the first) and its text."""

    line: int
    raw: str
    name: str | None = None


@dataclass(frozen=True)
class ImportOptions:
    """How to import."""

    skip_duplicates: bool = True
    system_managed: bool = True
    generate_names: bool = True
    """Name an entry by the comment above it or its program; else by its command."""


DEFAULTS = ImportOptions()


@dataclass(frozen=True)
class ImportResult:
    """The ids of new and updated tasks, and by line number why entries were not imported."""

    imported: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    texts: tuple[str | None, str | None] = (None, None)
    """The crontab before and after."""
    problem: PiTaskerError | None = None
    """Why the entries of the new tasks are not tagged yet. The tasks are saved."""


def importable(comparison: Comparison) -> list[Import]:
    """Return every unmanaged entry: without a tag, with an unknown one, or with a copied one."""
    reading, lines = comparison.reading, comparison.document.lines
    lost = set(reading.lost.values())
    indexes = sorted([*reading.unmanaged, *reading.unknown, *reading.copies])
    return [Import(index + 1, lines[index].raw) for index in indexes if index not in lost]


def find_obstacle(comparison: Comparison, item: Import, name: str) -> str:
    """Return why an entry cannot be imported as a managed entry under a name, or an empty text."""
    index = item.line - 1
    spec = replace(spec_of(comparison.document.entry(index)), name=name, tag=uuid4())
    rejections = check_entry(spec, comparison.document, index)
    return to_error(rejections).message if rejections else ""


def import_entries(
    environment: Environment,
    actor: Actor,
    chosen: Sequence[Import] | None = None,
    options: ImportOptions = DEFAULTS,
) -> ImportResult:
    """Import entries as tasks; all importable ones when `chosen` is None.

    A managed entry updates its task. The result holds the errors of single entries, and why the
    crontab does not follow yet. Raises any PiTaskerError when no task was made.
    """
    with install.locked(environment):
        crontab = read_crontab(environment)
        importer = _Importer(options, actor)
        with database.session(environment) as session:
            crontab_row = store.own_crontab(session)
            stored = store.load(session, crontab_row, lock=True)
            comparison = compare(session, crontab_row, *crontab, stored=stored)
            importer.choose(
                session, comparison, importable(comparison) if chosen is None else chosen
            )
            importer.write(session, crontab_row)
        # The tasks and their base are committed: this sync, or the next one after a power cut, tags
        # their entries.
        return importer.follow(environment, crontab)


class _Importer:
    """Make tasks of the chosen entries."""

    def __init__(self, options: ImportOptions, actor: Actor) -> None:
        self._options = options
        self._actor = actor
        self._result = ImportResult()
        self._places: dict[UUID, int] = {}
        """The index of each entry that gets a tag."""
        self._updated: set[UUID] = set()
        """Tags of chosen entries that are managed already."""
        self._rows: list[dict[str, Any]] = []
        """The columns of the new tasks."""
        self._lines: list[str] = []
        """The line of each new task."""
        self._base: dict[UUID, BaseEntry | None] = {}
        self._names: dict[int, str] = {}
        """The suggested names of the chosen entries without a name, by index."""

    def choose(self, session: Session, comparison: Comparison, chosen: Sequence[Import]) -> None:
        """Decide for each chosen entry: make a task, update its task, or skip it."""
        lines = comparison.document.lines
        tags = {index: tag for tag, index in comparison.reading.where.items()}
        present = {
            (schedule, command)
            for schedule, command in session.execute(
                select(TaskRow.cron_schedule, TaskRow.command).where(TaskRow.deleted_at.is_(None))
            )
        }
        if self._options.generate_names:
            at = {item.line - 1 for item in chosen if item.name is None}
            unnamed = [index for index, _ in comparison.document.entries() if index in at]
            self._names = suggest_names(comparison.document, unnamed)
        for item in chosen:
            index = item.line - 1
            line = lines[index] if 0 <= index < len(lines) else None
            if line is None or line.raw != item.raw:
                problem = "This line was changed since it was shown. Look again."
                self._result.errors[item.line] = problem
            elif isinstance(line, Invalid):
                self._result.errors[item.line] = f"This line is not an entry: {line.reason}."
            elif not isinstance(line, Entry):
                self._result.errors[item.line] = "This line is not an entry."
            elif index in tags:
                self._updated.add(tags[index])
            elif self._options.skip_duplicates and (line.schedule, line.command) in present:
                self._result.skipped[item.line] = "There is a task with this schedule and command."
            else:
                try:
                    self._add_task(comparison, item, line)
                except InvalidSyntax as problem:
                    self._result.errors[item.line] = problem.user_message
                else:
                    present.add((line.schedule, line.command))

    def write(self, session: Session, crontab_row: int) -> None:
        """Write the new tasks, then their base and their events together."""
        if not self._rows:
            return
        tasks = store.add_tasks(session, self._rows)
        self._result.imported.extend(tasks)
        event: NewEvent = {"actor": self._actor, "kind": EventKind.IMPORTED}
        events: list[NewEvent] = [
            {**event, "task": task, "after": {"line": line}}
            for task, line in zip(tasks, self._lines, strict=True)
        ]
        base = BaseMove(self._base)
        direct.execute_together(
            session,
            [
                store.base_statement(crontab_row, base, clock.now()),
                store.events_statement(crontab_row, events),
            ],
        )

    def follow(
        self, environment: Environment, crontab: tuple[str | None, Document]
    ) -> ImportResult:
        """Tag the entries of the new tasks, and update the tasks of managed entries."""
        tags = {*self._places, *self._updated}
        if not tags:
            return self._result
        request = Request(
            self._actor,
            OperationKind.IMPORT,
            tags,
            confirmed=True,
            places=self._places,
            crontab=crontab,
        )
        try:
            synced = sync_locked(environment, request)
        except PiTaskerError as problem:
            return replace(self._result, problem=problem, texts=(crontab[0], crontab[0]))
        self._result.updated.extend(
            synced.tasks[change.tag] for change in synced.pulled if change.tag in self._updated
        )
        lines = {synced.tasks[tag]: index + 1 for tag, index in self._places.items()}
        for task, reason in synced.failures.items():
            if task in lines:
                self._result.errors[lines[task]] = reason
        return replace(self._result, texts=(synced.before, synced.after))

    def _add_task(self, comparison: Comparison, item: Import, entry: Entry) -> None:
        """Add a task for an entry. Raises InvalidSyntax when it cannot be one."""
        index, document = item.line - 1, comparison.document
        is_managed = self._options.system_managed
        name = item.name
        if name is None:
            suggests = self._options.generate_names
            name = self._names[index] if suggests else entry.command[:100].strip()
        is_tagged = index in comparison.reading.unknown
        tag = entry.tag if is_tagged and entry.tag else uuid4()
        spec = replace(spec_of(entry), name=name, tag=tag)
        if not is_managed:
            # Only an entry that is managed has a tag, and can be paused and recorded.
            spec = replace(spec, tag=None, paused=False, recording=PLAIN)
        refuse(check_entry(spec, document, index))
        self._rows.append(
            {
                "name": name,
                "cron_schedule": entry.schedule,
                "command": entry.command,
                "paused": entry.paused,
                "record_runs": is_managed and entry.recording.on,
                "timeout_seconds": entry.recording.timeout_seconds,
                "no_overlap": entry.recording.no_overlap,
                "source": "crontab" if is_managed else "imported",
                "is_system_managed": is_managed,
                "tag": str(tag) if is_managed else None,
                "synced": is_managed and is_tagged,
            }
        )
        self._lines.append(entry.raw)
        if is_managed:
            self._places[tag] = index
            fields = Fields(name, entry.schedule, entry.command, entry.paused, entry.recording)
            comment = document.comment_above(index)
            self._base[tag] = BaseEntry(fields, comment, comment_is_ours=False)
