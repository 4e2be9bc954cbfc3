"""Replace the whole text of a crontab: by the raw editor, or by a snapshot."""

from contextlib import suppress
from dataclasses import dataclass

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    ConcurrentModification,
    CrontabReverted,
    DatabaseError,
    InvalidSyntax,
    MassRemoval,
    PiTaskerError,
)
from pitasker_core.crontab.document import Document, Invalid, parse
from pitasker_core.sync import install, store
from pitasker_core.sync.service import (
    Request,
    SyncResult,
    program,
    put_back_first,
    refuse_nul,
    sync_locked,
)
from pitasker_core.sync.store import OperationKind


@dataclass(frozen=True)
class Saved:
    """An installed raw edit. `problem` is why the tasks do not follow yet."""

    before: str | None
    text: str
    backup: str | None
    result: SyncResult | None
    problem: PiTaskerError | None


def save_raw(
    environment: Environment,
    text: str,
    based_on: str | None,
    *,
    actor: Actor,
    confirmed: bool = False,
    kind: OperationKind = OperationKind.EDIT,
) -> Saved:
    """Install a whole text that a person edited, then let the tasks follow.

    Works without a database: the tasks follow when it is back. Raises ConcurrentModification when
    the crontab is no longer `based_on`, InvalidSyntax for lines that are new and wrong, MassRemoval
    when most tags are gone and that was not `confirmed`; then nothing was changed.
    """
    with install.locked(environment):
        if kind != OperationKind.RESTORE and program(environment).read() == based_on:
            # The person saw the text without what an old editor undid.
            with suppress(CrontabReverted):
                put_back_first(environment)
        return save_raw_locked(
            environment, text, based_on, actor=actor, confirmed=confirmed, kind=kind
        )


def save_raw_locked(
    environment: Environment,
    text: str,
    based_on: str | None,
    *,
    actor: Actor,
    confirmed: bool,
    kind: OperationKind,
) -> Saved:
    """`save_raw` for a caller that holds the lock."""
    crontab = program(environment)
    document = parse(text, crontab.dialect).with_end()
    text = str(document)
    before = crontab.read()
    if before != based_on:
        raise changed_since()
    old = parse(before or "", crontab.dialect)
    _refuse_new_mistakes(old, document)
    if not confirmed:
        _refuse_mass_removal(old, document)
    if text == (before or ""):
        return Saved(before, text, None, None, None)
    backup = install.back_up(environment, before, clock.now())
    # The history keeps `before` even if the database has not seen it yet.
    previous = None
    with suppress(DatabaseError), database.session(environment) as session:
        number = store.own_crontab(session)
        previous = store.take_snapshot(session, number, before, store.BY_OTHERS, old.size)
    write = install.install(environment, crontab, before, document)
    try:
        with database.session(environment) as session:
            number = store.own_crontab(session)
            written = store.take_snapshot(session, number, text, kind, document.size)
        request = Request(actor, kind, confirmed=True, edited=(previous, written), write=write)
        result = sync_locked(environment, request)
    except PiTaskerError as problem:
        return Saved(before, text, str(backup) if backup else None, None, problem)
    return Saved(before, text, str(backup) if backup else None, result, None)


def check(environment: Environment, text: str) -> None:
    """Check a text as `save_raw` would, by our grammar and by the program's own check.

    Raises InvalidSyntax. Nothing is installed.
    """
    with install.locked(environment):
        check_locked(environment, text)


def check_locked(environment: Environment, text: str) -> None:
    """`check` for a caller that holds the lock."""
    crontab = program(environment)
    document = parse(text, crontab.dialect).with_end()
    _refuse_new_mistakes(parse(crontab.read() or "", crontab.dialect), document)
    install.check(environment, crontab, document)


def restore(
    environment: Environment, number: int, *, actor: Actor, shown: str | None = None
) -> Saved:
    """Install the text of a snapshot, and let the tasks follow. Another restore undoes it.

    `shown` is the digest of the text to replace. Raises ConcurrentModification when the
    crontab is another one; without a digest, when others wrote it after that snapshot.
    """
    chosen = snapshot(environment, number)
    based_on = program(environment).read()
    if shown is None:
        (newest,) = snapshots(environment, 1)
        is_newer = newest.reason == store.BY_OTHERS and newest.id > number
        if newest.sha256 != install.digest(based_on) or is_newer:
            raise ConcurrentModification(
                "Others have changed the crontab since, and to go back would remove their changes.",
                "Nothing was changed. Look at the crontab, then name the text that you saw: its "
                f"SHA-256 is {install.digest(based_on)}.",
            )
    elif shown != install.digest(based_on):
        raise ConcurrentModification(
            "The crontab was changed since it was shown.",
            "Nothing was changed. Look at it again, then go back.",
        )
    return save_raw(
        environment,
        chosen.text or "",
        based_on,
        actor=actor,
        confirmed=True,
        kind=OperationKind.RESTORE,
    )


def snapshots(environment: Environment, limit: int = 100) -> list[store.Snapshot]:
    """Return the newest snapshots of this crontab, newest first, without their texts."""
    with database.session(environment) as session:
        return store.snapshots(session, store.own_crontab(session), limit)


def snapshot(environment: Environment, number: int) -> store.SnapshotText:
    """Return one snapshot of this crontab, with its text. Raises NotFound."""
    with database.session(environment) as session:
        return store.snapshot(session, store.own_crontab(session), number)


def changed_since() -> ConcurrentModification:
    """Return the error of an edit whose text was loaded before another change."""
    return ConcurrentModification(
        "The crontab was changed since this text was loaded.",
        "Nothing was saved. Load it again and repeat your change; your text is still here.",
    )


def _refuse_new_mistakes(old: Document, new: Document) -> None:
    """Raise InvalidSyntax for new invalid lines. Old invalid lines can stay."""
    before = {line.raw for line in old.lines}
    wrong = [
        f"line {number}: {line.reason}"
        + (f" (perhaps {line.suggestion} was meant)" if line.suggestion else "")
        for number, line in enumerate(new.lines, 1)
        if isinstance(line, Invalid) and line.raw not in before
    ]
    if wrong:
        raise InvalidSyntax(
            f"Cron would not take {'; '.join(wrong)}.",
            "Nothing was saved; your text is still here.",
        )
    refuse_nul(new)


def _refuse_mass_removal(old: Document, new: Document) -> None:
    gone = old.by_tag.keys() - new.by_tag.keys()
    if gone and (not new.size or (len(gone) >= 3 and 2 * len(gone) > len(old.by_tag))):
        raise MassRemoval(
            f"This text removes {len(gone)} of {len(old.by_tag)} managed entries.",
            "Confirm if that is meant: their tasks stay as database-only.",
        )
