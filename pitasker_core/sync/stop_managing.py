"""Stop managing tasks: their entries stay in the crontab, without a tag and a recorder."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Text
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.recording import PLAIN
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import BaseRow, TaskRow
from pitasker_core.sync import edit, install, store
from pitasker_core.sync.service import program, put_back_first, read_crontab, refuse_nul
from pitasker_core.sync.store import OperationKind


def stop_managing(
    environment: Environment, actor: Actor, tasks: Collection[int]
) -> tuple[str | None, str]:
    """Remove the tags of these tasks' entries, delete the tasks, and return the texts.

    The texts are the crontab before and after. The tasks are deleted first: if the process dies in
    between, their entries have unknown tags, and no sync touches them. Raises PiTaskerError when
    the crontab cannot be written. Then the tasks are deleted, and their entries keep their tags and
    can be imported again.
    """
    with install.locked(environment):
        put_back_first(environment)
        text, document = read_crontab(environment)
        refuse_nul(document)
        started = clock.now()
        with database.session(environment) as session:
            crontab_row = store.own_crontab(session, lock=True)
            all_rows = store.edited_tasks(session, tasks).values()
            rows = [row for row in all_rows if row.deleted_at is None]
            tags = {row.tag for row in rows if row.tag}
            session.execute(delete(BaseRow).where(BaseRow.tag.in_(tags)))
            for row in rows:
                _delete(row, started)
                add_event(session, actor, EventKind.NO_LONGER_MANAGED, task=row.id)
            store.write_tasks(session, rows)
            before = store.take_snapshot(session, crontab_row, text, store.BY_OTHERS, document.size)
        after_document = _without_tags(document, tags)
        try:
            install.back_up(environment, text, started)
            write = install.install(environment, program(environment), text, after_document)
        except PiTaskerError as problem:
            hint = "The tasks are no longer managed. Their entries keep their tags: import them."
            raise type(problem)(problem.message, Text(problem.advice, " ", hint)) from problem
        after_text = str(after_document)
        with database.session(environment) as session:
            after = store.take_snapshot(
                session,
                crontab_row,
                after_text,
                OperationKind.STOP_MANAGING,
                after_document.size,
            )
            store.record(
                session,
                crontab_row=crontab_row,
                kind=OperationKind.STOP_MANAGING,
                actor=actor,
                started_at=started,
                duration_ms=1000 * (clock.now() - started).total_seconds(),
                outcome=store.Outcome.SUCCESS,
                pushed=len(tags),
                details={"write": write.as_dict()},
                before=before,
                after=after,
            )
    return text, after_text


def detach(environment: Environment, actor: Actor) -> int:
    """Remove the recorder from every entry, and return the number of these entries.

    Afterwards no job needs a file of PiTasker. Needs no database. Raises PiTaskerError.
    """
    text, document = read_crontab(environment)
    indexes = [index for index, entry in document.entries() if entry.recorder]
    if indexes:
        without = _without_recorders(document, indexes)
        edit.save_raw(environment, str(without), text, actor=actor, kind=OperationKind.DETACH)
    return len(indexes)


def _delete(row: TaskRow, at: datetime) -> None:
    row.deleted_at = at
    row.tag = None
    row.is_system_managed = row.synced_to_crontab = False


def _without_tags(document: Document, tags: Collection[object]) -> Document:
    draft = Draft(document)
    for index, entry in document.entries():
        if entry.tag in tags:
            draft.untag(index)
    return draft.done()


def _without_recorders(document: Document, indexes: Sequence[int]) -> Document:
    draft = Draft(document)
    for index in indexes:
        draft.change(index, recording=PLAIN)
    return draft.done()
