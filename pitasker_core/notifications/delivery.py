"""Tell people what there is to tell.

The notices in the database are what is wanted; each round sends what is due and not sent. So
nothing is lost by a crash, by a server that is down or by quiet hours. A round that ends in a crash
between a message and its record tells it again: better twice than never.
"""

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from pitasker_core import clock, database, side_by_side
from pitasker_core.database.tables import NoticeRow, RunRow, TaskRow
from pitasker_core.errors import ExecutionError, PiTaskerError, ReadOnly
from pitasker_core.identity import Identity
from pitasker_core.notices import Kind
from pitasker_core.notifications import channels, outbox, rules, sending, wording
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.outbox import Message, Subject, Waiting
from pitasker_core.notifications.rules import Rules
from pitasker_core.settings import Settings
from pitasker_core.sync import store

_ROUND = 30.0
"""Seconds that a round may take; what was not begun by then is left to the next one."""

_LATE = f"It did not answer within {_ROUND:.0f} seconds."

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
"""Until a message is tried again: doubled each time, up to the longest."""

MOST_TRIES = 30
"""With these pauses about a day; then it is given up."""

_AT_ONCE = 5_000
"""Notices that one round looks at."""

_DIGEST_LINES = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """A notice, and what became of it."""

    id: int
    at: datetime
    kind: Kind
    task: int | None
    task_name: str | None
    message: str
    sent_at: datetime | None
    sent_to: tuple[str, ...]
    next_try: datetime | None
    problem: str | None

    @property
    def result(self) -> str:
        """Whether it was sent, in words."""
        to = f"sent to {', '.join(self.sent_to)}" if self.sent_to else ""
        if self.problem:
            return ", ".join(filter(None, (to, "given up" if self.sent_at else "not yet")))
        if self.sent_at is None:
            return "waits"
        return to or "nobody asked for it"


def deliver(settings: Settings, now: datetime | None = None) -> str:
    """Send what is due; what could not be sent so far, in a sentence.

    Costs one query and writes nothing while nothing is due. Raises DatabaseError, ExecutionError.
    """
    now = now or clock.now()
    due, unsent = _state(settings, now)
    if due:
        _round(settings, now)
        _, unsent = _state(settings, now)
    return unsent


def trouble(settings: Settings) -> str:
    """What could not be sent so far, in a sentence; empty when there is nothing."""
    return _state(settings, clock.now())[1]


def test(settings: Settings, name: str) -> str:
    """Send a sample to a channel now, also to one that is off; says so in a sentence.

    Raises NotFound, ReadOnly, and ExecutionError with what the server answered.
    """
    if settings.read_only:
        raise ReadOnly
    channel = channels.get(settings, name)
    found = rules.read(settings)
    values = {**wording.SAMPLE, **_place(settings.identity), "time": _time(clock.now())}
    values |= {"task": "PiTasker", "kind": "test", "output": ""}
    values["message"] = "This is a test. Nothing failed."
    title, body = wording.fill(found.title, values), wording.fill(found.body, values)
    problems = [_LATE]  # unless it answers

    def work() -> None:
        problems.append(sending.send(sending.service(channel.url), channel.url, title, body, None))

    side_by_side.run([work], _ROUND)
    if problem := problems[-1]:
        raise ExecutionError(f"{name} did not take it. {problem}")
    return f"A test was sent to {name}."


def listing(settings: Settings, limit: int = 100) -> list[Told]:
    """The newest notices, newest first, and whether they were sent."""
    with database.session(settings) as session:
        crontab = store.own_crontab(session)
        rows = session.execute(
            select(NoticeRow, TaskRow.name)
            .outerjoin(TaskRow, TaskRow.id == NoticeRow.task)
            .where(NoticeRow.crontab == crontab)
            .order_by(NoticeRow.id.desc())
            .limit(limit)
        )
        return [
            Told(
                row.id,
                row.at,
                Kind(row.kind),
                row.task,
                name,
                row.message,
                row.sent_at,
                tuple(row.sent_to),
                row.next_try,
                row.problem,
            )
            for row, name in rows
        ]


# --- What waits ----------------------------------------------------------------------------------


def _state(settings: Settings, now: datetime) -> tuple[int, str]:
    """How many notices are due, and what could not be sent so far."""
    is_due = or_(NoticeRow.next_try.is_(None), NoticeRow.next_try <= now)
    query = select(
        func.count().filter(is_due), func.count(NoticeRow.problem), func.max(NoticeRow.problem)
    ).where(NoticeRow.sent_at.is_(None))
    with database.session(settings) as session:
        due, count, problem = session.execute(query).one()
    notices = "1 notice is" if count == 1 else f"{count} notices are"
    return due, f"{notices} not sent yet. {problem}" if count else ""


def _waiting(session: Session) -> list[Waiting]:
    rows = session.execute(
        select(NoticeRow, TaskRow.name, TaskRow.notify)
        .outerjoin(TaskRow, TaskRow.id == NoticeRow.task)
        .where(NoticeRow.sent_at.is_(None))
        .order_by(NoticeRow.id)
        .limit(_AT_ONCE)
    )
    return [
        Waiting(
            row.id,
            row.at,
            Kind(row.kind),
            row.task,
            name,
            notify,
            row.message,
            row.run,
            row.tries,
            row.next_try,
            frozenset(row.sent_to),
        )
        for row, name, notify in rows
    ]


def _last_told(session: Session, found: Rules, now: datetime) -> dict[Subject, datetime]:
    """When each kind and task was last told, within the repeat limit."""
    since = now - timedelta(minutes=found.repeat_minutes)
    rows = session.execute(
        select(NoticeRow.kind, NoticeRow.task, func.max(NoticeRow.sent_at))
        .where(NoticeRow.sent_at > since, func.cardinality(NoticeRow.sent_to) > 0)
        .group_by(NoticeRow.kind, NoticeRow.task)
    )
    return {(Kind(kind), task): at for kind, task, at in rows if at}


# --- One round -----------------------------------------------------------------------------------


def _round(settings: Settings, now: datetime) -> None:
    found, known = rules.read(settings), channels.listing(settings)
    with database.session(settings) as session:
        waiting = _waiting(session)
        told = _last_told(session, found, now)
        later = outbox.sort(waiting, known, found, told, now, clock.system_zone())
        _write(session, later.unwanted, sent_at=now)
        for until in set(later.held.values()):
            ids = [id_ for id_, at in later.held.items() if at == until]
            _write(session, ids, next_try=until)
        texts = [_text(session, found, message, settings.identity) for message in later.messages]
    answers = _send_all(later.messages, texts, known)
    for message, answer in zip(later.messages, answers, strict=True):
        with database.session(settings) as session:
            _note_answers(session, message, answer, now)


def _note_answers(
    session: Session, message: Message, answers: dict[str, str], now: datetime
) -> None:
    """Write down who took a message; who did not, and when that is tried again."""
    ids = [one.id for one in message.notices]
    failed = [f"{name}: {problem}" for name, problem in answers.items() if problem]
    took = {name for name, problem in answers.items() if not problem}
    sent_to = sorted(message.newest.sent_to | took)
    problem = "; ".join(failed) or None
    tries = message.tries + 1
    if not failed:
        # Whose turn did not come in this round is asked in the next.
        sent_at = now if took.issuperset(message.to) else None
        _write(session, ids, sent_to=sent_to, sent_at=sent_at, next_try=None, problem=None)
    elif tries >= MOST_TRIES:
        _log.warning("A notice was given up after %s tries. %s", tries, problem)
        _write(session, ids, sent_to=sent_to, sent_at=now, tries=tries, problem=problem)
    else:
        _log.info("A notice was not sent, for now. %s", problem)
        next_try = now + min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (tries - 1))
        _write(session, ids, sent_to=sent_to, tries=tries, next_try=next_try, problem=problem)


def _write(session: Session, ids: Sequence[int], **values: Any) -> None:
    if ids:
        session.execute(
            update(NoticeRow)
            .where(NoticeRow.id.in_(ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _send_all(
    messages: Sequence[Message], texts: Sequence[tuple[str, str]], known: Sequence[Channel]
) -> list[dict[str, str]]:
    """Send to all channels beside each other; what each answered, by message and channel."""
    answers: list[dict[str, str]] = [{} for _ in messages]
    is_over = threading.Event()

    def work(channel: Channel) -> None:
        to = None
        for message, text, answer in zip(messages, texts, answers, strict=True):
            if channel.name not in message.to or is_over.is_set():
                continue
            answer[channel.name] = _LATE  # unless it answers
            kind = None if message.is_digest else message.newest.kind
            try:
                to = to or sending.service(channel.url)
                problem = sending.send(to, channel.url, *text, kind)
            except PiTaskerError as trouble:
                problem = trouble.message
            if not is_over.is_set():
                answer[channel.name] = problem

    needed = {name for message in messages for name in message.to}
    works = [partial(work, channel) for channel in known if channel.name in needed]
    side_by_side.run(works, _ROUND)
    is_over.set()
    return [dict(answer) for answer in answers]


# --- Words ---------------------------------------------------------------------------------------


def _text(session: Session, found: Rules, message: Message, us: Identity) -> tuple[str, str]:
    """The title and the body of a message."""
    if message.is_digest:
        return _digest(message, us)
    newest = message.newest
    values = {
        **_place(us),
        "task": _name(newest),
        "kind": wording.WORDS[newest.kind],
        "message": _said(message),
        "time": _time(newest.at),
        "output": "",
    }
    if newest.run is not None and "{output}" in found.title + found.body:
        output = session.scalar(select(RunRow.output).where(RunRow.id == newest.run))
        values["output"] = wording.last_lines(output)
    return wording.fill(found.title, values), wording.fill(found.body, values)


def _said(message: Message) -> str:
    """The newest notice, and how often there was another meanwhile."""
    newest = message.newest
    before = message.notices[:-1]
    same = [one for one in before if one.kind is newest.kind]
    failed = [one for one in before if one.kind is not newest.kind]
    parts = [newest.message]
    if failed:
        parts.append(f"Before that it failed {_times(len(failed))}: {failed[-1].message}")
    if same:
        parts.append(f"And {_more(len(same))} since {_time(same[0].at)}.")
    return " ".join(parts)


def _digest(message: Message, us: Identity) -> tuple[str, str]:
    """Everything in one message: a line for each kind and task."""
    groups: dict[Subject, list[Waiting]] = {}
    for one in message.notices:
        groups.setdefault(one.subject, []).append(one)
    lines = []
    for same in groups.values():
        more = f" And {_more(len(same) - 1)}." if len(same) > 1 else ""
        kind = wording.WORDS[same[-1].kind]
        lines.append(f"{_time(same[-1].at)} {_name(same[-1])}: {kind}. {same[-1].message}{more}")
    if len(lines) > _DIGEST_LINES:
        lines[_DIGEST_LINES:] = [f"and {len(lines) - _DIGEST_LINES} others"]
    counts = Counter(wording.WORDS[one.kind] for one in message.notices)
    summary = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{us.host}: {summary}", "\n".join(lines)


def _name(notice: Waiting) -> str:
    return notice.task_name or "The crontab"


def _place(us: Identity) -> dict[str, str]:
    return {"host": us.host, "user": us.user}


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(clock.system_zone()):%Y-%m-%d %H:%M:%S}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _more(count: int) -> str:
    return "1 more time" if count == 1 else f"{count} more times"
