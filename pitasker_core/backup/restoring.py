"""Restore a backup: the rows and the crontab together, or neither."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.backup import relocation, rows, staging
from pitasker_core.backup.contents import Contents, Source
from pitasker_core.backup.writing import write
from pitasker_core.base import clock, paths
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, PiTaskerError
from pitasker_core.base.storable import storable
from pitasker_core.base.text import Text
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.database import owner, scope
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import TaskRow
from pitasker_core.runs import spool
from pitasker_core.sync import edit, install, recorder_copy, service, store
from pitasker_core.sync.service import Request
from pitasker_core.sync.store import OperationKind


@dataclass(frozen=True)
class Restored:
    """A finished restore."""

    previous: Path
    """A backup of the state before the restore."""
    notes: list[str]
    """Sentences about what this machine lacks."""
    problem: PiTaskerError | None
    """Why the sync after the restore failed."""


def restore(
    environment: Environment, actor: Actor, contents: Contents, named: str | None = None
) -> Restored:
    """Replace this crontab and its rows by those of a backup.

    Other writers wait for the crontab's lock and for PostgreSQL's table locks. So each change is
    either in the backup of the previous state or in the restored rows. `named` is the crontab in
    the backup (USER@HOST), if that is not this crontab. Tokens are not restored, so a revoked token
    stays revoked.

    Raises InvalidSyntax for rows or a crontab that would be refused, and any other PiTaskerError.
    Nothing was changed then.
    """
    us = _us(environment)
    source = relocation.choose_source(contents.sources, us, named)
    # A waiting record names its task by id. After the restore that id may be another task's.
    with suppress(PiTaskerError):
        spool.collect(environment)
    with install.locked(environment):
        edit.check_locked(environment, contents.crontab or "")
        program = service.program(environment)
        before = program.read()
        previous = environment.backups / f"before-restore-{clock.now():%Y%m%dT%H%M%S.%fZ}.tar.gz"
        written: list[Document | None] = []
        try:
            with database.administer(environment, migrated=not _is_newer(environment)) as current:
                own = _prepare_tables(environment, current, previous, before)
                with staging.staged(current, contents) as schema:
                    _block_writers(current)
                    if not paths.exists(previous):
                        write(current, previous, before, own)
                    at_home = relocation.is_at_home(source, us)
                    staging.replace_rows(current, schema, source, own, at_home=at_home)
                document, notes = _adapt(environment, current, contents.crontab, own)
                edited = _record(current, own, actor, contents, source, (before, document))
                if (before or "") != (text := str(document or "")) or (not text and before):
                    written.append(document)
                    install.install(environment, program, before, document)
        except BaseException as problem:
            _put_back(environment, program, before, written)
            if isinstance(problem, PiTaskerError):
                problem.advice = _state_after_failure(program, before, previous, problem.advice)
            raise
        if document and not at_home:
            notes += relocation.list_missing(document)
        try:
            request = Request(actor, OperationKind.RESTORE, confirmed=True, edited=edited)
            service.sync_locked(environment, request)
        except PiTaskerError as problem:
            return Restored(previous, notes, problem)
    return Restored(previous, notes, None)


def preview(environment: Environment, contents: Contents, named: str | None = None) -> list[str]:
    """Return what a backup's entries name and this machine lacks. Empty on the backup's machine.

    Raises as `restore` does if a person must choose a crontab of the backup.
    """
    us = _us(environment)
    if relocation.is_at_home(relocation.choose_source(contents.sources, us, named), us):
        return []
    return relocation.list_missing(parse(contents.crontab or ""))


def _us(environment: Environment) -> Source:
    us = environment.identity
    return Source(0, us.host, us.user, us.machine)


def _is_newer(environment: Environment) -> bool:
    """Whether a newer version made the tables of the database."""
    with database.administer(environment, migrated=False) as connection:
        return (database.revision(connection) or "") > database.newest_revision()


def _prepare_tables(
    environment: Environment, connection: Connection, previous: Path, before: str | None
) -> int:
    """Return our crontab's id. Tables of a newer version are first backed up and replaced."""
    is_newer = (database.revision(connection) or "") > database.newest_revision()
    if is_newer:
        others = rows.crontabs(connection, None)
        if len(others) > 1:
            raise DatabaseError(
                f"A newer PiTasker made this database, for {len(others)} crontabs.",
                "They cannot all be replaced. Set DATABASE_URL to an empty database.",
            )
        write(connection, previous, before, None)
        staging.replace_tables(connection)
    own = owner.recognise(connection, database.evidence(environment))
    if is_newer:
        staging.restore_tokens(connection, own)
    return own


def _block_writers(connection: Connection) -> None:
    """Block other writers until the end of the transaction. Readers are not blocked."""
    tables = ", ".join(f'"{name}"' for name in rows.tables(connection))
    connection.execute(text("set local lock_timeout = '15s'"))
    connection.execute(text(f"lock table {tables} in exclusive mode"))
    connection.execute(text("set local lock_timeout = 0"))


def _adapt(
    environment: Environment, connection: Connection, crontab: str | None, own: int
) -> tuple[Document | None, list[str]]:
    """Return the crontab to install, with this home's recorder, and notes."""
    if crontab is None:
        return None, []
    ended = crontab if not crontab or crontab.endswith("\n") else f"{crontab}\n"
    document = parse(ended, service.program(environment).dialect)
    if not any(entry.recorder for _, entry in document.entries()):
        return document, []
    query = select(TaskRow.tag, TaskRow.id).where(TaskRow.crontab_row == own)
    tasks = {tag: task for tag, task in connection.execute(query) if tag}
    copy = recorder_copy.put_in_place(environment)
    return relocation.use_recorder(document, str(copy), tasks)


def _record(
    connection: Connection,
    own: int,
    actor: Actor,
    contents: Contents,
    source: Source | None,
    texts: tuple[str | None, Document | None],
) -> tuple[int, int]:
    """Add both texts and the actor to the restored history. Returns the ids of the snapshots."""
    before, document = texts
    # Only now: `replace_rows` must see the ids that other crontabs' rows use.
    scope.name_crontab(connection, own)
    with Session(connection) as session:
        old = store.take_snapshot(session, own, before, store.BY_OTHERS, parse(before or "").size)
        restored = None if document is None else str(document)
        size = document.size if document else 0
        new = store.take_snapshot(session, own, restored, OperationKind.RESTORE, size)
        after = {"made_at": contents.made_at.isoformat(), "of": storable(str(source or ""))}
        add_event(session, actor, EventKind.RESTORED_FROM_BACKUP, after=after)
        session.flush()
    return old, new


def _put_back(
    environment: Environment,
    program: CrontabProgram,
    before: str | None,
    written: list[Document | None],
) -> None:
    """Install the old text again if ours was installed: the rows were rolled back."""
    with suppress(PiTaskerError):
        for document in written:
            text = None if document is None else str(document)
            if program.read() == text != before:
                old = None if before is None else parse(before, program.dialect)
                install.install(environment, program, text, old)


def _state_after_failure(
    program: CrontabProgram, before: str | None, previous: Path, advice: str
) -> str:
    """Return the advice after a failed restore: it says whether anything was changed."""
    with suppress(PiTaskerError):
        if program.read() == before:
            unchanged = "Nothing was changed."
            return advice if unchanged in advice else Text(advice, advice and " ", unchanged)
    state = "The tasks are unchanged. The crontab may have changed: check it."
    copy = f" The previous state is in {previous}." if paths.exists(previous) else ""
    return Text(advice, advice and " ", state, copy)
