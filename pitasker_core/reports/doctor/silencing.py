"""Rules of the doctor that a person silenced for one entry."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pitasker_core import database, tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound, ReadOnly
from pitasker_core.base.text import marked
from pitasker_core.crontab.doctor.catalogue import RULES
from pitasker_core.crontab.document import Document, Entry, EnvironmentLine, encode
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import SilencedRuleRow, TaskRow
from pitasker_core.sync import edit, install, service


@dataclass(frozen=True, slots=True)
class Place:
    """What a rule is silenced for: a task, or a line that no task manages."""

    task: int | None = None
    line: int | None = None
    """1 is the first line."""
    entry: str | None = None
    """The digest of that line's schedule and command, or of its environment line."""


def locate(
    environment: Environment,
    *,
    task: int | None = None,
    line: int | None = None,
    shown: str | None = None,
) -> Place:
    """Return the place of a task, or of a line of the installed crontab. A managed line has the
    place of its task.

    `shown` is the digest of the crontab in which the line was shown. Raises NotFound,
    ConcurrentModification when the crontab was changed since, DatabaseError, CrontabUnavailable.
    """
    if task is not None:
        return Place(task=tasks.get(environment, task).id)
    installed, document = service.read_crontab(environment)
    if shown not in (None, install.digest(installed)):
        raise edit.changed_since()
    chosen = document.lines[line - 1] if line and 1 <= line <= len(document.lines) else None
    digest = _digest_of(chosen)
    if digest is None:
        raise NotFound(f"There is no entry and no environment line in line {line}.")
    with database.session(environment) as session:
        manager = tasks_by_line(session, document).get(line or 0)
    return Place(task=manager) if manager else Place(line=line, entry=digest)


def silence(environment: Environment, actor: Actor, rule: str, place: Place) -> None:
    """Silence a rule for this place. Raises NotFound, ReadOnly, DatabaseError."""
    _check(environment, rule)
    with database.session(environment) as session:
        if _rows(session, rule, place):
            return
        session.add(SilencedRuleRow(rule=rule, task=place.task, entry=place.entry))
        add_event(session, actor, EventKind.RULE_SILENCED, task=place.task, after={"rule": rule})


def unsilence(environment: Environment, actor: Actor, rule: str, place: Place) -> None:
    """Report a rule again for this place. Raises NotFound, ReadOnly, DatabaseError."""
    _check(environment, rule)
    with database.session(environment) as session:
        numbers = _rows(session, rule, place)
        if not numbers:
            raise NotFound(f"The rule {rule} is not silenced there.")
        session.execute(delete(SilencedRuleRow).where(SilencedRuleRow.id.in_(numbers)))
        add_event(session, actor, EventKind.RULE_REPORTED, task=place.task, after={"rule": rule})


def _check(environment: Environment, rule: str) -> None:
    if environment.read_only:
        raise ReadOnly
    if rule not in RULES:
        raise NotFound(
            f"There is no rule {rule}.", marked("`./pitasker doctor --rules` lists them.")
        )


def _rows(session: Session, rule: str, place: Place) -> list[int]:
    chosen = (
        SilencedRuleRow.entry == place.entry
        if place.task is None
        else SilencedRuleRow.task == place.task
    )
    query = select(SilencedRuleRow.id).where(SilencedRuleRow.rule == rule, chosen)
    return list(session.scalars(query))


def tasks_by_line(session: Session, document: Document) -> dict[int, int]:
    """The task of each managed entry, by the entry's line."""
    managed = select(TaskRow).where(TaskRow.tag.is_not(None), TaskRow.deleted_at.is_(None))
    numbers = session.execute(managed.with_only_columns(TaskRow.tag, TaskRow.id))
    tags: dict[UUID | None, int] = {row.tag: row.id for row in numbers}
    return {index + 1: tags[entry.tag] for index, entry in document.entries() if entry.tag in tags}


def read_silences(
    session: Session, document: Document, managed: Mapping[int, int]
) -> set[tuple[int, str]]:
    """The silenced rules as pairs of a line and a rule's code."""
    rows = session.execute(
        select(SilencedRuleRow.task, SilencedRuleRow.entry, SilencedRuleRow.rule)
    )
    by_task: dict[int, set[str]] = {}
    by_entry: dict[str, set[str]] = {}
    for task, entry, rule in rows:
        if task is not None:
            by_task.setdefault(task, set()).add(rule)
        elif entry is not None:
            by_entry.setdefault(entry, set()).add(rule)
    silences = {(line, rule) for line, task in managed.items() for rule in by_task.get(task, ())}
    if by_entry:
        silences |= set(_of_lines(document, managed, by_entry))
    return silences


def _of_lines(
    document: Document, managed: Mapping[int, int], by_entry: Mapping[str, set[str]]
) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(document.lines, 1):
        if number not in managed and (digest := _digest_of(line)):
            for rule in by_entry.get(digest, ()):
                yield number, rule


def _digest_of(line: object) -> str | None:
    """Return the digest of an entry or environment line; None for another line."""
    if isinstance(line, Entry):
        content = f"{' '.join(line.schedule.split())}\n{line.command}"
    elif isinstance(line, EnvironmentLine):
        content = f"{line.name}={line.value}"
    else:
        return None
    return hashlib.sha256(encode(content)).hexdigest()
