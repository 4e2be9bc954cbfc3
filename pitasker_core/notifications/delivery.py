"""Tell people what there is to tell.

The notices in the database are what is wanted; each round sends what is due and not sent. So
nothing is lost by a crash, by a server that is down or by quiet hours. A round that ends in a crash
between a message and its record tells it again: better twice than never.

Limits and retries are of each channel, so one that is dead changes nothing for the others. One that
hangs is left behind by the round, and takes part again when its time is over.
"""

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import DateTime, column, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock, parallel
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, PiTaskerError, ReadOnly
from pitasker_core.base.identity import Identity
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import NoticeRow, RunRow, TaskRow
from pitasker_core.notifications import apprise_sender, channels, outbox, rules, wording
from pitasker_core.notifications.attempts import Attempts, as_stored, read
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.outbox import Message, Subject, Waiting
from pitasker_core.notifications.rules import Rules
from pitasker_core.sync import store

_CHANNEL_SECONDS = 30.0
"""How long a channel may take in a round; what was not begun by then is left to the next one."""

_ROUND_SECONDS = 5.0
"""How long a round waits for its channels: those that take longer go on beside the next one."""

_LATE = f"It did not answer within {_CHANNEL_SECONDS:.0f} seconds."

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
    kind: NoticeKind
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


def deliver(environment: Environment, now: datetime | None = None) -> str:
    """Send what is due; what could not be sent so far, in a sentence.

    Costs one query and writes nothing while nothing is due. Raises DatabaseError, ExecutionError.
    """
    now = now or clock.now()
    due, unsent = _state(environment, now)
    if due:
        _round(environment, now)
        _, unsent = _state(environment, now)
    return unsent


def trouble(environment: Environment) -> str:
    """What could not be sent so far, in a sentence; empty when there is nothing."""
    return _state(environment, clock.now())[1]


def test(environment: Environment, name: str) -> str:
    """Send a sample to a channel now, also to one that is off; says so in a sentence.

    Raises NotFound, ReadOnly, and ExecutionError with what the server answered.
    """
    if environment.read_only:
        raise ReadOnly
    channel = channels.get(environment, name)
    found = rules.read(environment)
    values = {**wording.SAMPLE, **_place(environment.identity), "time": _time(clock.now())}
    values |= {"task": "PiTasker", "kind": "test", "output": ""}
    values["message"] = "This is a test. Nothing failed."
    title, body = wording.fill(found.title, values), wording.fill(found.body, values)
    problems = [_LATE]  # unless it answers

    def work() -> None:
        problems.append(
            apprise_sender.send(apprise_sender.service(channel.url), channel.url, title, body, None)
        )

    parallel.run([work], _CHANNEL_SECONDS)
    if problem := problems[-1]:
        raise ExecutionError(f"{name} did not take it. {problem}")
    return f"A test was sent to {name}."


def listing(environment: Environment, limit: int = 100) -> list[Told]:
    """The newest notices, newest first, and whether they were sent."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        rows = session.execute(
            select(NoticeRow, TaskRow.name)
            .outerjoin(TaskRow, TaskRow.id == NoticeRow.task)
            .where(NoticeRow.crontab_row == crontab_row)
            .order_by(NoticeRow.id.desc())
            .limit(limit)
        )
        return [
            Told(
                row.id,
                row.at,
                NoticeKind(row.kind),
                row.task,
                name,
                row.message,
                row.sent_at,
                _sent_to(row),
                row.next_try,
                row.problem,
            )
            for row, name in rows
        ]


# --- What waits ----------------------------------------------------------------------------------


def _state(environment: Environment, now: datetime) -> tuple[int, str]:
    """How many notices are due, and what could not be sent so far."""
    is_due = or_(NoticeRow.next_try.is_(None), NoticeRow.next_try <= now)
    query = select(
        func.count().filter(is_due), func.count(NoticeRow.problem), func.max(NoticeRow.problem)
    ).where(NoticeRow.sent_at.is_(None))
    with database.session(environment) as session:
        due, count, problem = session.execute(query).one()
    notices = "1 notice is" if count == 1 else f"{count} notices are"
    return due, f"{notices} not sent yet. {problem}" if count else ""


@dataclass(frozen=True)
class _Notice:
    """A notice that some channel may still have to get."""

    row: NoticeRow
    task_name: str | None
    wanted: Sequence[str] | None
    attempts: dict[str, Attempts]

    def takers(self, known: Sequence[Channel]) -> set[str]:
        """The names of the channels that are still to get it."""
        takers = outbox.takers(NoticeKind(self.row.kind), self.wanted, known)
        return {name for name in takers if not self.attempts.get(name, Attempts()).is_over}

    def waiting(self, channel: str) -> Waiting:
        """The notice as it waits for a channel."""
        row, attempts = self.row, self.attempts.get(channel, Attempts())
        return Waiting(
            row.id,
            row.at,
            NoticeKind(row.kind),
            row.task,
            self.task_name,
            self.wanted,
            row.message,
            row.run,
            attempts.tries,
            # Rules or channels were changed: what waits need not wait for its next try.
            attempts.next_try if row.next_try else None,
        )


def _unsent(session: Session) -> list[_Notice]:
    rows = session.execute(
        select(NoticeRow, TaskRow.name, TaskRow.notify)
        .outerjoin(TaskRow, TaskRow.id == NoticeRow.task)
        .where(NoticeRow.sent_at.is_(None))
        .order_by(NoticeRow.id)
        .limit(_AT_ONCE)
    )
    return [_Notice(row, name, notify, read(row.deliveries)) for row, name, notify in rows]


def _sent_to(row: NoticeRow) -> tuple[str, ...]:
    return tuple(sorted(name for name, each in read(row.deliveries).items() if each.sent_at))


def _last_told(
    session: Session, found: Rules, now: datetime
) -> defaultdict[str, dict[Subject, datetime]]:
    """When each channel was last told of each kind and task, within the repeat limit."""
    since = now - timedelta(minutes=found.repeat_minutes)
    each = func.jsonb_each(NoticeRow.deliveries).table_valued("key", column("value", JSONB))
    sent_at = each.c.value["sent_at"].astext.cast(DateTime(timezone=True))
    rows = session.execute(
        select(each.c.key, NoticeRow.kind, NoticeRow.task, func.max(sent_at))
        .select_from(NoticeRow)
        .join(each, literal(True))
        .where(or_(NoticeRow.sent_at.is_(None), NoticeRow.sent_at > since), sent_at > since)
        .group_by(each.c.key, NoticeRow.kind, NoticeRow.task)
    )
    told: defaultdict[str, dict[Subject, datetime]] = defaultdict(dict)
    for channel, kind, task, at in rows:
        told[channel][NoticeKind(kind), task] = at
    return told


# --- One round -----------------------------------------------------------------------------------

_busy: set[tuple[Environment, str]] = set()
"""Channels that a round has left behind."""
_busy_lock = threading.Lock()


def _round(environment: Environment, now: datetime) -> None:
    found, known = rules.read(environment), channels.listing(environment)
    works: list[Callable[[], None]] = []
    with database.session(environment) as session:
        unsent = _unsent(session)
        told = _last_told(session, found, now)
        until: dict[int, datetime] = {}
        is_due: set[int] = set()
        for channel in known:
            waiting = [n.waiting(channel.name) for n in unsent if channel.name in n.takers(known)]
            if (environment, channel.name) in _busy:
                held = dict.fromkeys((one.id for one in waiting), now + _FIRST_PAUSE)
            else:
                later = outbox.sort(waiting, found, told[channel.name], now, clock.system_zone())
                held = later.held
                is_due |= {one.id for message in later.messages for one in message.notices}
                if later.messages:
                    texts = [_text(session, found, m, environment.identity) for m in later.messages]
                    parts = list(zip(later.messages, texts, strict=True))
                    works.append(partial(_serve, environment, channel, known, parts, now))
            for id_, at in held.items():
                until[id_] = min(at, until.get(id_, at))
        unwanted = [notice.row.id for notice in unsent if not notice.takers(known)]
        _write(session, unwanted, sent_at=now)
        for at in set(until.values()):
            ids = [id_ for id_ in until if until[id_] == at and id_ not in is_due]
            _write(session, ids, next_try=at)
    parallel.run(works, _ROUND_SECONDS)


_Part = tuple[Message, tuple[str, str]]
"""A message with its title and body."""


def _serve(
    environment: Environment,
    channel: Channel,
    known: Sequence[Channel],
    parts: Sequence[_Part],
    now: datetime,
) -> None:
    """Send a channel its messages, and write down what it answered."""
    mark = (environment, channel.name)
    with _busy_lock:
        if mark in _busy:
            return
        _busy.add(mark)
    try:
        answers = _send(channel, parts)
        with database.session(environment) as session:
            for (message, _), problem in zip(parts, answers, strict=False):
                _note_answer(session, channel.name, known, message, problem, now)
    except PiTaskerError as problem:
        # It is told again in a later round.
        _log.warning("What %s answered was not kept: %s", channel.name, problem.message)
    finally:
        with _busy_lock:
            _busy.discard(mark)


def _send(channel: Channel, parts: Sequence[_Part]) -> list[str]:
    """What a channel answered to each message, empty when it took it; those in time alone."""
    answers: list[str] = []
    is_over = threading.Event()

    def work() -> None:
        to = None
        for message, text in parts:
            kind = None if message.is_digest else message.newest.kind
            try:
                to = to or apprise_sender.service(channel.url)
                problem = apprise_sender.send(to, channel.url, *text, kind)
            except PiTaskerError as trouble:
                problem = trouble.message
            if is_over.is_set():
                return
            answers.append(problem)

    in_time = parallel.run([work], _CHANNEL_SECONDS)
    is_over.set()
    return list(answers) if in_time else [*answers, _LATE][: len(parts)]


def _note_answer(
    session: Session,
    channel: str,
    known: Sequence[Channel],
    message: Message,
    problem: str,
    now: datetime,
) -> None:
    """Write down whether a channel took a message, and if not when it is tried again."""
    tries = message.tries + 1
    if not problem:
        result = Attempts(tries, sent_at=now)
    elif tries >= MOST_TRIES:
        _log.warning("A notice was given up after %s tries. %s: %s", tries, channel, problem)
        result = Attempts(tries, is_given_up=True, problem=problem)
    else:
        _log.info("A notice was not sent, for now. %s: %s", channel, problem)
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (tries - 1))
        result = Attempts(tries, now + pause, problem=problem)
    notices = {one.id: one for one in message.notices}
    # Another channel may be writing its own: in one order, one after the other.
    rows = session.scalars(
        select(NoticeRow).where(NoticeRow.id.in_(notices)).order_by(NoticeRow.id).with_for_update()
    )
    for row in rows:
        attempts = {**read(row.deliveries), channel: result}
        row.deliveries = as_stored(attempts)
        problems = [f"{name}: {each.problem}" for name, each in attempts.items() if each.problem]
        row.problem = "; ".join(problems) or None
        takers = outbox.takers(notices[row.id].kind, notices[row.id].wanted, known)
        left = [attempts.get(name, Attempts()) for name in takers]
        left = [each for each in left if not each.is_over]
        row.sent_at = None if left else now
        # Not None, which means that no channel has to wait for its next try.
        row.next_try = min((each.next_try or now for each in left), default=None)


def _write(session: Session, ids: Sequence[int], **values: Any) -> None:
    if ids:
        session.execute(
            update(NoticeRow)
            .where(NoticeRow.id.in_(ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


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
