"""Import: make tasks of entries that are in the crontab already."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, PiTaskerError
from pitasker_core.crontab.document import (
    Entry,
    Invalid,
    suggested_name,
)
from pitasker_core.crontab.entry_spec import check_entry, spec_of
from pitasker_core.crontab.recording import PLAIN
from pitasker_core.crontab.rejection import refuse
from pitasker_core.database.tables import EventRow, TaskRow
from pitasker_core.sync import install, store
from pitasker_core.sync.merge import Fields
from pitasker_core.sync.service import (
    Comparison,
    Request,
    compare,
    read_crontab,
    sync_locked,
)
from pitasker_core.sync.sides import BaseEntry


@dataclass(frozen=True)
class Import:
    """An entry that a person chose to manage: its line (1 is the first) and its text there."""

    line: int
    raw: str
    name: str | None = None


@dataclass(frozen=True)
class ImportOptions:
    """How to import. The defaults are what most people want."""

    skip_duplicates: bool = True
    system_managed: bool = True
    generate_names: bool = True
    """Name an entry by the comment above it or its program; else by its command."""


DEFAULTS = ImportOptions()


@dataclass(frozen=True)
class ImportResult:
    """Task ids by what became of them; `skipped` and `errors` by line number, with the reason."""

    imported: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    texts: tuple[str | None, str | None] = (None, None)
    """The crontab before and after."""
    problem: PiTaskerError | None = None
    """Why the entries of the new tasks are not tagged yet: the tasks are saved all the same."""


def importable(compared: Comparison) -> list[Import]:
    """Every entry that is not managed: without a tag, with an unknown one, or with a copied one."""
    reading = compared.reading
    indexes = sorted([*reading.unmanaged, *reading.unknown, *reading.copies])
    lost = set(reading.lost.values())
    return [Import(i + 1, compared.document.lines[i].raw) for i in indexes if i not in lost]


def import_entries(
    environment: Environment,
    actor: str,
    wanted: Sequence[Import] | None = None,
    options: ImportOptions = DEFAULTS,
) -> ImportResult:
    """Import entries as tasks; all that are importable when `wanted` is None.

    An entry that is managed already brings its task up to date. What is wrong with one entry is in
    the result, and so is why the crontab does not follow yet. Raises any PiTaskerError when no task
    was made.
    """
    with install.locked(environment):
        text, document = read_crontab(environment)
        work = _Work(options, actor)
        with database.session(environment) as session:
            crontab_row = store.own_crontab(session, lock=True)
            compared = compare(session, crontab_row, text, document)
            work.intend(
                session, crontab_row, compared, importable(compared) if wanted is None else wanted
            )
        # The tasks and their base are in the database now: this sync, or after a power cut the
        # next one, tags their entries.
        tags = {*work.places, *work.updates}
        if tags:
            request = Request(actor, "import", tags, confirmed=True, places=work.places)
            try:
                done = sync_locked(environment, request)
            except PiTaskerError as problem:
                return replace(work.result, problem=problem, texts=(text, text))
            work.result.updated.extend(
                done.tasks[c.tag] for c in done.pulled if c.tag in work.updates
            )
            lines = {done.tasks[tag]: index + 1 for tag, index in work.places.items()}
            for task, reason in done.failures.items():
                if task in lines:
                    work.result.errors[lines[task]] = reason
            return replace(work.result, texts=(done.before, done.after))
    return work.result


class _Work:
    """One import while it goes through the chosen entries."""

    def __init__(self, options: ImportOptions, actor: str) -> None:
        self.options = options
        self.actor = actor
        self.result = ImportResult()
        self.places: dict[UUID, int] = {}
        """The index of each entry that is to be tagged."""
        self.updates: set[UUID] = set()
        """Tags of chosen entries that are managed already."""
        self._made: list[tuple[TaskRow, str]] = []
        self._base: dict[UUID, BaseEntry | None] = {}

    def intend(
        self, session: Session, crontab_row: int, compared: Comparison, wanted: Sequence[Import]
    ) -> None:
        """Make a task, with its base, of each chosen entry that can be one."""
        document = compared.document
        own = {index: tag for tag, index in compared.reading.where.items()}
        present = {
            (schedule, command)
            for schedule, command in session.execute(
                select(TaskRow.cron_schedule, TaskRow.command).where(TaskRow.deleted_at.is_(None))
            )
        }
        for item in wanted:
            index = item.line - 1
            line = document.lines[index] if 0 <= index < len(document.lines) else None
            if line is None or line.raw != item.raw:
                problem = "This line was changed since it was shown. Look again."
                self.result.errors[item.line] = problem
            elif isinstance(line, Invalid):
                self.result.errors[item.line] = f"This line is not an entry: {line.reason}."
            elif not isinstance(line, Entry):
                self.result.errors[item.line] = "This line is not an entry."
            elif index in own:
                self.updates.add(own[index])
            elif self.options.skip_duplicates and (line.schedule, line.command) in present:
                self.result.skipped[item.line] = "There is a task with this schedule and command."
            else:
                try:
                    self._make_task(session, crontab_row, compared, item, line)
                except InvalidSyntax as problem:
                    self.result.errors[item.line] = problem.user_message
                else:
                    present.add((line.schedule, line.command))
        store.move_base(session, crontab_row, self._base)
        session.flush()
        for row, raw in self._made:
            self.result.imported.append(row.id)
            session.add(
                EventRow(actor=self.actor, kind="imported", task=row.id, after={"line": raw})
            )

    def _make_task(
        self, session: Session, crontab_row: int, compared: Comparison, item: Import, entry: Entry
    ) -> None:
        index, document, managed = item.line - 1, compared.document, self.options.system_managed
        name = item.name
        if name is None:
            by_itself = self.options.generate_names
            name = suggested_name(document, index) if by_itself else entry.command[:100].strip()
        is_tagged = index in compared.reading.unknown
        tag = entry.tag if is_tagged and entry.tag else uuid4()
        spec = replace(spec_of(entry), name=name, tag=tag)
        if not managed:
            # Only an entry that is managed has a tag, and can be paused and recorded.
            spec = replace(spec, tag=None, paused=False, recording=PLAIN)
        refuse(check_entry(spec, document, index))
        row = TaskRow(
            name=name,
            cron_schedule=entry.schedule,
            command=entry.command,
            paused=entry.paused,
            record_runs=managed and entry.recording.on,
            timeout_seconds=entry.recording.timeout_seconds,
            no_overlap=entry.recording.no_overlap,
            source="crontab" if managed else "imported",
            is_system_managed=managed,
            tag=tag if managed else None,
            synced_to_crontab=managed and is_tagged,
            crontab_synced_at=clock.now() if managed and is_tagged else None,
            crontab_row=crontab_row,
            version=1,
        )
        session.add(row)
        self._made.append((row, entry.raw))
        if managed:
            self.places[tag] = index
            fields = Fields(name, entry.schedule, entry.command, entry.paused, entry.recording)
            comment = document.comment_above(index)
            self._base[tag] = BaseEntry(fields, comment, comment_is_ours=False)
