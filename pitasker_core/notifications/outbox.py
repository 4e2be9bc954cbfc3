"""Decide which notices a channel gets now, which later, and which in one message. Pure.

Each channel is decided on its own. Whether another channel got a notice does not matter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pitasker_core.database.notices import NoticeKind
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.rules import Rules

Subject = tuple[NoticeKind, int | None]
"""A kind of notice and its task, which share a repeat limit."""


@dataclass(frozen=True)
class Waiting:
    """A notice that a channel has not got yet, with its attempts there."""

    id: int
    at: datetime
    kind: NoticeKind
    task: int | None
    task_name: str | None
    task_kinds: Sequence[str] | None
    """The kinds that its task asks for; None for all."""
    message: str
    run: int | None
    tries: int
    next_try: datetime | None

    @property
    def subject(self) -> Subject:
        """The subject for the repeat limit."""
        return self.kind, self.task


@dataclass(frozen=True)
class Message:
    """Notices in one message, oldest first."""

    notices: tuple[Waiting, ...]
    is_digest: bool = False

    @property
    def newest(self) -> Waiting:
        """The notice whose text the message uses."""
        return self.notices[-1]

    @property
    def tries(self) -> int:
        """The number of attempts so far."""
        return max(notice.tries for notice in self.notices)

    @property
    def next_try(self) -> datetime | None:
        """When it is tried again; None before the first attempt."""
        return max(
            (notice.next_try for notice in self.notices if notice.tries and notice.next_try),
            default=None,
        )


@dataclass(frozen=True)
class Sorted:
    """The messages to send now, and the notices to hold."""

    messages: list[Message] = field(default_factory=list)
    held: dict[int, datetime] = field(default_factory=dict)
    """The ids of held notices, and until when."""


def takers(
    kind: NoticeKind, task_kinds: Sequence[str] | None, channels: Sequence[Channel]
) -> frozenset[str]:
    """The names of the channels that get a notice of a kind. `task_kinds` are the task's kinds."""
    if task_kinds is not None and kind not in task_kinds:
        return frozenset()
    return frozenset(
        channel.name for channel in channels if channel.enabled and kind in channel.kinds
    )


def sort(
    waiting: Sequence[Waiting],
    rules: Rules,
    last_sent: Mapping[Subject, datetime],
    now: datetime,
    zone: ZoneInfo,
) -> Sorted:
    """Decide about all notices that wait for a channel, oldest first.

    `last_sent`: when the channel last got each subject, within the repeat limit.
    """
    result = Sorted()
    if quiet_ends := rules.quiet_ends(now, zone):
        result.held.update((notice.id, quiet_ends) for notice in waiting)
        return result
    due = []
    for notice in waiting:
        until = _held_until(notice, rules, last_sent, now, zone)
        if until is None:
            due.append(notice)
        else:
            result.held[notice.id] = until
    if not rules.digest_at:
        due = _with_recoveries(waiting, due, result.held)
    for message in _group(due, by_subject=not rules.digest_at):
        again = message.next_try
        if again and again > now:
            result.held.update((notice.id, again) for notice in message.notices)
        else:
            result.messages.append(message)
    return result


def _held_until(
    notice: Waiting,
    rules: Rules,
    last_sent: Mapping[Subject, datetime],
    now: datetime,
    zone: ZoneInfo,
) -> datetime | None:
    """Until when a notice has to wait; None if it is due."""
    if rules.digest_at:
        at = rules.next_digest(notice.at, zone)
    elif notice.subject not in last_sent:
        return None
    else:
        at = last_sent[notice.subject] + timedelta(minutes=rules.repeat_minutes)
    return at if at and at > now else None


def _with_recoveries(
    waiting: Sequence[Waiting], due: Sequence[Waiting], held: dict[int, datetime]
) -> list[Waiting]:
    """Send held failures together with the recovery that follows them.

    If they were sent after it, the task would seem to fail again.
    """
    recoveries = {notice.task: notice for notice in waiting if notice.kind is NoticeKind.RECOVERED}
    due_ids = {notice.id for notice in due}
    for notice in waiting:
        recovery = recoveries.get(notice.task)
        if notice.kind is not NoticeKind.FAILED or recovery is None or recovery.id < notice.id:
            continue
        if recovery.id in held:
            held[notice.id] = held[recovery.id]
            due_ids.discard(notice.id)
        elif notice.id in held:
            del held[notice.id]
            due_ids.add(notice.id)
    return [notice for notice in waiting if notice.id in due_ids]


def _group(due: Collection[Waiting], *, by_subject: bool) -> list[Message]:
    """One message for each kind and task. Failures join the recovery that follows them."""
    recovered = {notice.task: notice.id for notice in due if notice.kind is NoticeKind.RECOVERED}
    groups: dict[object, list[Waiting]] = {}
    for notice in due:
        is_over = notice.kind is NoticeKind.FAILED and notice.id < recovered.get(notice.task, 0)
        kind = NoticeKind.RECOVERED if is_over else notice.kind
        groups.setdefault((kind, notice.task) if by_subject else None, []).append(notice)
    return [Message(tuple(group), is_digest=not by_subject) for group in groups.values()]
