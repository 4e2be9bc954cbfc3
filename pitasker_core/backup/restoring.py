"""Put a backup back: the rows and the crontab together, or neither."""

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
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, PiTaskerError
from pitasker_core.base.storable import storable
from pitasker_core.base.text import Text
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.database import owner, scope
from pitasker_core.database.tables import EventRow, TaskRow
from pitasker_core.runs import spool
from pitasker_core.sync import edit, install, recorder_copy, service, store
from pitasker_core.sync.service import Request


@dataclass(frozen=True)
class Restored:
    """A restore that is done. `problem` is why tasks and crontab could not be synced after it."""

    kept: Path
    """Where what was there before is kept."""
    notes: list[str]
    """What is other on this machine than on the backup's, in sentences."""
    problem: PiTaskerError | None


def restore(
    environment: Environment, actor: str, contents: Contents, named: str | None = None
) -> Restored:
    """Put this crontab and its rows back as a backup has them.

    Other writers wait: of the crontab by the lock, of the rows by PostgreSQL. What was written
    before is in the file that keeps the present state, what is written after is in the restored
    rows. `named` is the crontab in the backup (user@host), where that is not this one. Signing in
    stays as it is: a token that was revoked since does not open anything again.

    Raises InvalidSyntax for rows, or a crontab, that would not be taken, and any other
    PiTaskerError; then nothing was changed.
    """
    us = _whose(environment)
    source = relocation.chosen(contents.sources, us, named)
    # A record names its task by id, which may be another task's after this.
    with suppress(PiTaskerError):
        spool.collect(environment)
    with install.locked(environment):
        edit.check_locked(environment, contents.crontab or "")
        program = service.program(environment)
        before = program.read()
        kept = environment.backups / f"before-restore-{clock.now():%Y%m%dT%H%M%S.%fZ}.tar.gz"
        written: list[Document | None] = []
        try:
            with database.administer(environment, migrated=not _is_newer(environment)) as current:
                own = _make_way(environment, current, kept, before)
                with staging.staged(current, contents) as schema:
                    _keep_writers_out(current)
                    if not paths.exists(kept):
                        write(current, kept, before, own)
                    at_home = relocation.is_at_home(source, us)
                    staging.replace_rows(current, schema, source, own, at_home=at_home)
                document, notes = _at_home(environment, current, contents.crontab, own)
                edited = _note(current, own, actor, contents, source, (before, document))
                if (before or "") != (text := str(document or "")) or (not text and before):
                    written.append(document)
                    install.install(environment, program, before, document)
        except BaseException as problem:
            _put_back(environment, program, before, written)
            if isinstance(problem, PiTaskerError):
                problem.advice = _truth(program, before, kept, problem.advice)
            raise
        if document and not at_home:
            notes += relocation.differences(document)
        try:
            request = Request(actor, "restore", confirmed=True, edited=edited)
            service.sync_locked(environment, request)
        except PiTaskerError as problem:
            return Restored(kept, notes, problem)
    return Restored(kept, notes, None)


def preview(environment: Environment, contents: Contents, named: str | None = None) -> list[str]:
    """What this machine lacks of what a backup's entries name, when it is not the backup's own.

    Raises as `restore` does when a person must say whose crontab is meant.
    """
    us = _whose(environment)
    if relocation.is_at_home(relocation.chosen(contents.sources, us, named), us):
        return []
    return relocation.differences(parse(contents.crontab or ""))


def _whose(environment: Environment) -> Source:
    """Whose crontab this is."""
    us = environment.identity
    return Source(0, us.host, us.user, us.machine)


def _is_newer(environment: Environment) -> bool:
    """Whether the database has the tables of a version that is newer than this one."""
    with database.administer(environment, migrated=False) as connection:
        return (database.revision(connection) or "") > database.newest_revision()


def _make_way(
    environment: Environment, connection: Connection, kept: Path, before: str | None
) -> int:
    """Our crontab's id. Tables of a newer version are kept in a file and made anew first."""
    is_newer = (database.revision(connection) or "") > database.newest_revision()
    if is_newer:
        others = rows.crontabs(connection, None)
        if len(others) > 1:
            raise DatabaseError(
                f"A newer PiTasker made this database, for {len(others)} crontabs.",
                "Its tables can be replaced only while it has one. Take an empty database: set "
                "DATABASE_URL to it.",
            )
        write(connection, kept, before, None)
        staging.make_anew(connection)
    own = owner.recognise(connection, database.evidence(environment))
    if is_newer:
        staging.take_tokens(connection, own)
    return own


def _keep_writers_out(connection: Connection) -> None:
    """From now on until the end of the transaction nobody else writes; reading goes on."""
    tables = ", ".join(f'"{name}"' for name in rows.tables(connection))
    connection.execute(text("set local lock_timeout = '15s'"))
    connection.execute(text(f"lock table {tables} in exclusive mode"))
    connection.execute(text("set local lock_timeout = 0"))


def _at_home(
    environment: Environment, connection: Connection, crontab: str | None, own: int
) -> tuple[Document | None, list[str]]:
    """The crontab as it is to be installed here, with this home's recorder in it."""
    if crontab is None:
        return None, []
    ended = crontab if not crontab or crontab.endswith("\n") else f"{crontab}\n"
    document = parse(ended, service.program(environment).dialect)
    if not any(entry.recorder for _, entry in document.entries()):
        return document, []
    query = select(TaskRow.tag, TaskRow.id).where(TaskRow.crontab_row == own)
    tasks = {tag: task for tag, task in connection.execute(query) if tag}
    copy = recorder_copy.put_in_place(environment)
    return relocation.rehomed(document, str(copy), tasks)


def _note(
    connection: Connection,
    own: int,
    actor: str,
    contents: Contents,
    source: Source | None,
    texts: tuple[str | None, Document | None],
) -> tuple[int, int]:
    """Keep in the restored history what was there before, and who restored. Returns snapshots."""
    before, document = texts
    # Not before: where the rows of others are hidden, one cannot see whose id is taken.
    scope.name_crontab(connection, own)
    with Session(connection) as session:
        found = parse(before or "").size
        old = store.take_snapshot(session, own, before, "found", found)
        restored = None if document is None else str(document)
        size = document.size if document else 0
        new = store.take_snapshot(session, own, restored, "restore", size)
        what = {"made_at": contents.made_at.isoformat(), "of": storable(str(source or ""))}
        session.add(EventRow(actor=actor, kind="restored from a backup", after=what))
        session.flush()
    return old, new


def _put_back(
    environment: Environment,
    program: CrontabProgram,
    before: str | None,
    written: list[Document | None],
) -> None:
    """Put the old text back if ours is installed, and the rows are not."""
    with suppress(PiTaskerError):
        for document in written:
            text = None if document is None else str(document)
            if program.read() == text != before:
                old = None if before is None else parse(before, program.dialect)
                install.install(environment, program, text, old)


def _truth(program: CrontabProgram, before: str | None, kept: Path, advice: str) -> str:
    """What to say of a restore that failed."""
    with suppress(PiTaskerError):
        if program.read() == before:
            unchanged = "Nothing was changed."
            return advice if unchanged in advice else Text(advice, advice and " ", unchanged)
    said = "The tasks are as they were; the crontab may not be: look at it."
    copy = f" What was there before is in {kept}." if paths.exists(kept) else ""
    return Text(advice, advice and " ", said, copy)
