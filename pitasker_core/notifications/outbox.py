"""What to tell now, what later, and what together. Pure: everything it goes by is given."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pitasker_core.notices import Kind
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.rules import Rules

Subject = tuple[Kind, int | None]
"""What the repeat limit goes by: a kind of notice and its task."""


@dataclass(frozen=True)
class Waiting:
    """A notice that is not sent yet."""

    id: int
    at: datetime
    kind: Kind
    task: int | None
    task_name: str | None
    wanted: Sequence[str] | None
    """The kinds that are wanted of its task; None for all."""
    message: str
    run: int | None
    tries: int
    next_try: datetime | None
    sent_to: frozenset[str]

    @property
    def subject(self) -> Subject:
        """What the repeat limit goes by."""
        return self.kind, self.task


@dataclass(frozen=True)
class Message:
    """Notices that are told in one message, oldest first, and who gets it."""

    notices: tuple[Waiting, ...]
    to: tuple[str, ...]
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
    unwanted: list[int] = field(default_factory=list)
    """Notices that nobody wants, or that everybody has."""
    held: dict[int, datetime] = field(default_factory=dict)
    """Until when others wait."""


def sort(
    waiting: Sequence[Waiting],
    channels: Sequence[Channel],
    rules: Rules,
    told: Mapping[Subject, datetime],
    now: datetime,
    zone: ZoneInfo,
) -> Sorted:
    """Decide about everything that waits, oldest first. `told`: when each was last told."""
    found = Sorted()
    wanted = [one for one in waiting if _takers(one, channels) - one.sent_to]
    wanted_ids = {one.id for one in wanted}
    found.unwanted.extend(one.id for one in waiting if one.id not in wanted_ids)
    if quiet_ends := rules.quiet_ends(now, zone):
        found.held.update((one.id, quiet_ends) for one in wanted)
        return found
    due = []
    for one in wanted:
        until = _held_until(one, rules, told, now, zone)
        if until is None:
            due.append(one)
        else:
            found.held[one.id] = until
    if not rules.digest_at:
        due = _with_recoveries(wanted, due, found.held)
    for message in _together(due, channels, by_subject=not rules.digest_at):
        again = message.next_try
        if again and again > now:
            found.held.update((one.id, again) for one in message.notices)
        else:
            found.messages.append(message)
    return found


def _takers(one: Waiting, channels: Sequence[Channel]) -> set[str]:
    if one.wanted is not None and one.kind not in one.wanted:
        return set()
    return {channel.name for channel in channels if channel.enabled and one.kind in channel.kinds}


def _held_until(
    one: Waiting, rules: Rules, told: Mapping[Subject, datetime], now: datetime, zone: ZoneInfo
) -> datetime | None:
    """Until when a notice has to wait; None when it is due."""
    if rules.digest_at:
        at = rules.next_digest(one.at, zone)
    elif one.sent_to or one.subject not in told:
        return None  # what some have already, the others get
    else:
        at = told[one.subject] + timedelta(minutes=rules.repeat_minutes)
    return at if at and at > now else None


def _with_recoveries(
    wanted: Sequence[Waiting], due: Sequence[Waiting], held: dict[int, datetime]
) -> list[Waiting]:
    """Tell failures that were held back together with the recovery that follows them.

    Told after it, they would read as if the task failed still.
    """
    recoveries = {one.task: one for one in wanted if one.kind is Kind.RECOVERED}
    is_due = {one.id for one in due}
    for one in wanted:
        after = recoveries.get(one.task)
        if one.kind is not Kind.FAILED or after is None or after.id < one.id or one.sent_to:
            continue
        if after.id in held:
            held[one.id] = held[after.id]
            is_due.discard(one.id)
        elif one.id in held:
            del held[one.id]
            is_due.add(one.id)
    return [one for one in wanted if one.id in is_due]


def _together(
    due: Collection[Waiting], channels: Sequence[Channel], *, by_subject: bool
) -> list[Message]:
    """One message for all of a kind and task; failures go with the recovery that follows them."""
    recovered = {one.task: one.id for one in due if one.kind is Kind.RECOVERED}
    groups: dict[object, list[Waiting]] = {}
    for one in due:
        is_over = one.kind is Kind.FAILED and one.id < recovered.get(one.task, 0)
        subject = (Kind.RECOVERED if is_over else one.kind, one.task) if by_subject else None
        groups.setdefault((subject, one.sent_to), []).append(one)
    messages = []
    for group in groups.values():
        takers = set().union(*(_takers(one, channels) for one in group)) - group[0].sent_to
        to = tuple(channel.name for channel in channels if channel.name in takers)
        messages.append(Message(tuple(group), to, is_digest=not by_subject))
    return messages
