"""Deliver notices to their channels.

Each round sends the notices in the database that are due and not sent. So a crash, a dead server
or quiet hours lose nothing. After a crash between sending and recording, a notice is sent again:
twice is better than never.

Each channel has its own limits and retries, so a dead channel does not affect others. A round does
not wait for a channel that hangs. It takes part again when its time limit is over.
"""

import logging
import threading
from collections import defaultdict
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
from pitasker_core.base.text import counted
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import NoticeRow, TaskRow
from pitasker_core.notifications import apprise_sender, channels, outbox, rules, wording
from pitasker_core.notifications.attempts import Attempts, as_stored, read
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.message_text import fill_message, place_values, time_text
from pitasker_core.notifications.outbox import Message, Subject, Waiting
from pitasker_core.notifications.rules import Rules

_CHANNEL_SECONDS = 30.0
"""The time limit of a channel in a round. Channels not reached are retried in the next round."""

_ROUND_SECONDS = 5.0
"""How long a round waits for its channels. Slower ones go on beside the next round."""

_LATE = f"It did not answer within {_CHANNEL_SECONDS:.0f} seconds."

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
"""The pause before the next attempt. Doubles each time, up to the second value."""

MOST_TRIES = 30
"""Attempts before a notice is given up: about a day with these pauses."""

_AT_ONCE = 5_000
"""The maximum number of notices of a round."""

_log = logging.getLogger(__name__)


def deliver(environment: Environment, now: datetime | None = None) -> str:
    """Send the due notices. Returns a sentence about unsent ones, or an empty text.

    Runs one query and writes nothing while nothing is due. Raises DatabaseError, ExecutionError.
    """
    now = now or clock.now()
    due, unsent = _state(environment, now)
    if due:
        _round(environment, now)
        _, unsent = _state(environment, now)
    return unsent


def trouble(environment: Environment) -> str:
    """A sentence about notices that could not be sent; empty if there are none."""
    return _state(environment, clock.now())[1]


def test(environment: Environment, name: str) -> str:
    """Send a sample to a channel now, even if it is off. Returns a sentence about it.

    Raises NotFound, ReadOnly, and ExecutionError with the server's answer.
    """
    if environment.read_only:
        raise ReadOnly
    channel = channels.get(environment, name)
    notice_rules = rules.read(environment)
    values = {
        **wording.SAMPLE,
        **place_values(environment.identity),
        "time": time_text(clock.now()),
    }
    values |= {"task": "PiTasker", "kind": "test", "output": ""}
    values["message"] = "This is a test. Nothing failed."
    title, body = wording.fill(notice_rules.title, values), wording.fill(notice_rules.body, values)
    problems = [_LATE]  # replaced by an answer

    def work() -> None:
        problems.append(
            apprise_sender.send(apprise_sender.service(channel.url), channel.url, title, body, None)
        )

    parallel.run([work], _CHANNEL_SECONDS)
    if problem := problems[-1]:
        raise ExecutionError(f"{name} did not accept it. {problem}")
    return f"A test was sent to {name}."


# --- What waits ----------------------------------------------------------------------------------


def _state(environment: Environment, now: datetime) -> tuple[int, str]:
    """The number of due notices, and a sentence about unsent ones."""
    is_due = or_(NoticeRow.next_try.is_(None), NoticeRow.next_try <= now)
    query = select(
        func.count().filter(is_due), func.count(NoticeRow.problem), func.max(NoticeRow.problem)
    ).where(NoticeRow.sent_at.is_(None))
    with database.session(environment) as session:
        due, count, problem = session.execute(query).one()
    notices = counted(count, "notice is", "notices are")
    return due, f"{notices} not sent yet. {problem}" if count else ""


@dataclass(frozen=True)
class _Notice:
    """A notice that some channel may not have got yet."""

    row: NoticeRow
    task_name: str | None
    task_kinds: Sequence[str] | None
    attempts: dict[str, Attempts]

    def takers(self, listed: Sequence[Channel]) -> set[str]:
        """The names of the channels that must still get it."""
        takers = outbox.takers(NoticeKind(self.row.kind), self.task_kinds, listed)
        return {name for name in takers if not self.attempts.get(name, Attempts()).is_over}

    def waiting(self, channel: str) -> Waiting:
        """The notice with its attempts in a channel."""
        row, attempts = self.row, self.attempts.get(channel, Attempts())
        return Waiting(
            row.id,
            row.at,
            NoticeKind(row.kind),
            row.task,
            self.task_name,
            self.task_kinds,
            row.message,
            row.run,
            attempts.tries,
            # No next_try means that rules or channels changed, so retry at once.
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


def _last_sent(
    session: Session, notice_rules: Rules, now: datetime
) -> defaultdict[str, dict[Subject, datetime]]:
    """When each channel last got each kind and task, within the repeat limit."""
    since = now - timedelta(minutes=notice_rules.repeat_minutes)
    each = func.jsonb_each(NoticeRow.deliveries).table_valued("key", column("value", JSONB))
    sent_at = each.c.value["sent_at"].astext.cast(DateTime(timezone=True))
    rows = session.execute(
        select(each.c.key, NoticeRow.kind, NoticeRow.task, func.max(sent_at))
        .select_from(NoticeRow)
        .join(each, literal(True))
        .where(or_(NoticeRow.sent_at.is_(None), NoticeRow.sent_at > since), sent_at > since)
        .group_by(each.c.key, NoticeRow.kind, NoticeRow.task)
    )
    last_sent: defaultdict[str, dict[Subject, datetime]] = defaultdict(dict)
    for channel, kind, task, at in rows:
        last_sent[channel][NoticeKind(kind), task] = at
    return last_sent


# --- One round -----------------------------------------------------------------------------------

_busy: set[tuple[Environment, str]] = set()
"""Channels that a round has left behind."""
_busy_lock = threading.Lock()


def _round(environment: Environment, now: datetime) -> None:
    notice_rules, listed = rules.read(environment), channels.listing(environment)
    works: list[Callable[[], None]] = []
    with database.session(environment) as session:
        unsent = _unsent(session)
        last_sent = _last_sent(session, notice_rules, now)
        until: dict[int, datetime] = {}
        is_due: set[int] = set()
        for channel in listed:
            waiting = [n.waiting(channel.name) for n in unsent if channel.name in n.takers(listed)]
            if (environment, channel.name) in _busy:
                held = dict.fromkeys((notice.id for notice in waiting), now + _FIRST_PAUSE)
            else:
                later = outbox.sort(
                    waiting, notice_rules, last_sent[channel.name], now, clock.system_zone()
                )
                held = later.held
                is_due |= {notice.id for message in later.messages for notice in message.notices}
                if later.messages:
                    texts = [
                        fill_message(session, notice_rules, m, environment.identity)
                        for m in later.messages
                    ]
                    parts = list(zip(later.messages, texts, strict=True))
                    works.append(partial(_serve, environment, channel, listed, parts, now))
            for id_, at in held.items():
                until[id_] = min(at, until.get(id_, at))
        unwanted = [notice.row.id for notice in unsent if not notice.takers(listed)]
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
    listed: Sequence[Channel],
    parts: Sequence[_Part],
    now: datetime,
) -> None:
    """Send a channel its messages and record its answers."""
    mark = (environment, channel.name)
    with _busy_lock:
        if mark in _busy:
            return
        _busy.add(mark)
    try:
        answers = _send(channel, parts)
        with database.session(environment) as session:
            for (message, _), problem in zip(parts, answers, strict=False):
                _note_answer(session, channel.name, listed, message, problem, now)
    except PiTaskerError as problem:
        # The messages are sent again in a later round.
        _log.warning("The answer of %s was not saved: %s", channel.name, problem.message)
    finally:
        with _busy_lock:
            _busy.discard(mark)


def _send(channel: Channel, parts: Sequence[_Part]) -> list[str]:
    """The problem of each message, empty if it was accepted. Only answers within the time limit."""
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

    late = parallel.run([work], _CHANNEL_SECONDS)
    is_over.set()
    return [*answers, _LATE][: len(parts)] if late else list(answers)


def _note_answer(
    session: Session,
    channel: str,
    listed: Sequence[Channel],
    message: Message,
    problem: str,
    now: datetime,
) -> None:
    """Record whether a channel accepted a message, or when it is tried again."""
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
    notices = {notice.id: notice for notice in message.notices}
    # Other channels write the same rows. The order of ids prevents a deadlock.
    rows = session.scalars(
        select(NoticeRow).where(NoticeRow.id.in_(notices)).order_by(NoticeRow.id).with_for_update()
    )
    for row in rows:
        attempts = {**read(row.deliveries), channel: result}
        row.deliveries = as_stored(attempts)
        problems = [f"{name}: {each.problem}" for name, each in attempts.items() if each.problem]
        row.problem = "; ".join(problems) or None
        takers = outbox.takers(notices[row.id].kind, notices[row.id].task_kinds, listed)
        left = [attempts.get(name, Attempts()) for name in takers]
        left = [each for each in left if not each.is_over]
        row.sent_at = None if left else now
        # Never None here: None means that all channels are retried at once.
        row.next_try = min((each.next_try or now for each in left), default=None)


def _write(session: Session, ids: Sequence[int], **values: Any) -> None:
    if ids:
        session.execute(
            update(NoticeRow)
            .where(NoticeRow.id.in_(ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )
