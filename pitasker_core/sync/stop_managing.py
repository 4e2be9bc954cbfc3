"""Give entries back: they stay in the crontab, and PiTasker, or its recorder, lets go of them."""

from collections.abc import Collection

from sqlalchemy import delete

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Text
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.recording import PLAIN
from pitasker_core.database.tables import BaseRow, EventRow
from pitasker_core.sync import edit, install, store
from pitasker_core.sync.service import program, put_back_first, read_crontab, refuse_nul


def release(environment: Environment, actor: str, tasks: Collection[int]) -> tuple[str | None, str]:
    """Take the tags off the entries of these tasks, and delete the tasks. The texts before, after.

    The tasks go first: a process that dies in between leaves entries with tags that nobody knows,
    which no sync touches. Raises PiTaskerError when the crontab cannot be written; then the tasks
    are gone, and their entries keep their tags and can be imported again.
    """
    with install.locked(environment):
        put_back_first(environment)
        text, document = read_crontab(environment)
        refuse_nul(document)
        started = clock.now()
        with database.session(environment) as session:
            crontab_row = store.own_crontab(session, lock=True)
            found = store.edited_tasks(session, tasks).values()
            rows = [row for row in found if row.deleted_at is None]
            tags = {row.tag for row in rows if row.tag}
            session.execute(delete(BaseRow).where(BaseRow.tag.in_(tags)))
            for row in rows:
                row.deleted_at = started
                row.tag = None
                row.is_system_managed = row.synced_to_crontab = False
                session.add(EventRow(actor=actor, kind="released", task=row.id))
            store.write_tasks(session, rows)
            before = store.take_snapshot(session, crontab_row, text, "found", document.size)
        released = _untagged(document, tags)
        try:
            install.back_up(environment, text, started)
            write = install.install(environment, program(environment), text, released)
        except PiTaskerError as problem:
            kept = "The tasks are not managed any more. Their entries keep their tags: import them."
            raise type(problem)(problem.message, Text(problem.advice, " ", kept)) from problem
        with database.session(environment) as session:
            after = store.take_snapshot(
                session, crontab_row, str(released), "release", released.size
            )
            store.record(
                session,
                crontab_row=crontab_row,
                kind="release",
                actor=actor,
                started_at=started,
                duration_ms=1000 * (clock.now() - started).total_seconds(),
                outcome="success",
                pushed=len(tags),
                details={"write": write.as_dict()},
                before=before,
                after=after,
            )
    return text, str(released)


def detach(environment: Environment, actor: str) -> int:
    """Take the recorder out of every entry: each has its plain command back, and needs nothing of
    PiTasker's any more. How many there were. Needs no database. Raises PiTaskerError.
    """
    text, document = read_crontab(environment)
    draft = Draft(document)
    found = [index for index, entry in document.entries() if entry.recorder]
    for index in found:
        draft.change(index, recording=PLAIN)
    if found:
        edit.save_raw(environment, str(draft.done()), text, actor=actor, kind="detach")
    return len(found)


def _untagged(document: Document, tags: Collection[object]) -> Document:
    draft = Draft(document)
    for index, entry in document.entries():
        if entry.tag in tags:
            draft.untag(index)
    return draft.done()
