"""What to tell a channel now, what later, and what together. Pure: everything it goes by is given.

Each channel is decided about by itself: when another got the same notice, or did not, is nothing
to it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pitasker_core.database.notices import NoticeKind
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.rules import Rules

Subject = tuple[NoticeKind, int | None]
"""What the repeat limit goes by: a kind of notice and its task."""


@dataclass(frozen=True)
class Waiting:
    """A notice that a channel has not got yet, and how often it was tried there."""

    id: int
    at: datetime
    kind: NoticeKind
    task: int | None
    task_name: str | None
    wanted: Sequence[str] | None
    """The kinds that are wanted of its task; None for all."""
    message: str
    run: int | None
    tries: int
    next_try: datetime | None

    @property
    def subject(self) -> Subject:
        """What the repeat limit goes by."""
        return self.kind, self.task


@dataclass(frozen=True)
class Message:
    """Notices that are told in one message, oldest first."""

    notices: tuple[Waiting, ...]
    is_digest: bool = False

    @property
    def newest(self) -> Waiting:
        """The one in whose words it is."""
        return self.notices[-1]

    @property
    def tries(self) -> int:
        """How often it was tried."""
        return max(one.tries for one in self.notices)

    @property
    def next_try(self) -> datetime | None:
        """Until when it waits since it was tried."""
        return max(
            (one.next_try for one in self.notices if one.tries and one.next_try), default=None
        )


@dataclass(frozen=True)
class Sorted:
    """What becomes of what waits."""

    messages: list[Message] = field(default_factory=list)
    held: dict[int, datetime] = field(default_factory=dict)
    """Until when others wait."""


def takers(
    kind: NoticeKind, wanted: Sequence[str] | None, channels: Sequence[Channel]
) -> frozenset[str]:
    """The names of the channels that get a notice of a kind, of a task that wants some kinds."""
    if wanted is not None and kind not in wanted:
        return frozenset()
    return frozenset(
        channel.name for channel in channels if channel.enabled and kind in channel.kinds
    )


def sort(
    waiting: Sequence[Waiting],
    rules: Rules,
    told: Mapping[Subject, datetime],
    now: datetime,
    zone: ZoneInfo,
) -> Sorted:
    """Decide about everything that waits for a channel, oldest first.

    `told`: when the channel was last told of each subject, within the repeat limit.
    """
    found = Sorted()
    if quiet_ends := rules.quiet_ends(now, zone):
        found.held.update((one.id, quiet_ends) for one in waiting)
        return found
    due = []
    for one in waiting:
        until = _held_until(one, rules, told, now, zone)
        if until is None:
            due.append(one)
        else:
            found.held[one.id] = until
    if not rules.digest_at:
        due = _with_recoveries(waiting, due, found.held)
    for message in _together(due, by_subject=not rules.digest_at):
        again = message.next_try
        if again and again > now:
            found.held.update((one.id, again) for one in message.notices)
        else:
            found.messages.append(message)
    return found


def _held_until(
    one: Waiting, rules: Rules, told: Mapping[Subject, datetime], now: datetime, zone: ZoneInfo
) -> datetime | None:
    """Until when a notice has to wait; None when it is due."""
    if rules.digest_at:
        at = rules.next_digest(one.at, zone)
    elif one.subject not in told:
        return None
    else:
        at = told[one.subject] + timedelta(minutes=rules.repeat_minutes)
    return at if at and at > now else None


def _with_recoveries(
    waiting: Sequence[Waiting], due: Sequence[Waiting], held: dict[int, datetime]
) -> list[Waiting]:
    """Tell failures that were held back together with the recovery that follows them.

    Told after it, they would read as if the task failed still.
    """
    recoveries = {one.task: one for one in waiting if one.kind is NoticeKind.RECOVERED}
    is_due = {one.id for one in due}
    for one in waiting:
        after = recoveries.get(one.task)
        if one.kind is not NoticeKind.FAILED or after is None or after.id < one.id:
            continue
        if after.id in held:
            held[one.id] = held[after.id]
            is_due.discard(one.id)
        elif one.id in held:
            del held[one.id]
            is_due.add(one.id)
    return [one for one in waiting if one.id in is_due]


def _together(due: Collection[Waiting], *, by_subject: bool) -> list[Message]:
    """One message for all of a kind and task; failures go with the recovery that follows them."""
    recovered = {one.task: one.id for one in due if one.kind is NoticeKind.RECOVERED}
    groups: dict[object, list[Waiting]] = {}
    for one in due:
        is_over = one.kind is NoticeKind.FAILED and one.id < recovered.get(one.task, 0)
        subject = (NoticeKind.RECOVERED if is_over else one.kind, one.task) if by_subject else None
        groups.setdefault(subject, []).append(one)
    return [Message(tuple(group), is_digest=not by_subject) for group in groups.values()]
