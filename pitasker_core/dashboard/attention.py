"""The things that need a person's attention: a sentence and actions for each. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pitasker_core.base.text import Code, Text, counted, marked, visible
from pitasker_core.crontab.doctor.finding import Finding, Severity
from pitasker_core.dashboard import terminal_output
from pitasker_core.dashboard.overview import hand_edit
from pitasker_core.dashboard.states import Color
from pitasker_core.dashboard.times import ago
from pitasker_core.reports.doctor import Examined
from pitasker_core.reports.status import Health
from pitasker_core.runs.exit_codes import in_words
from pitasker_core.runs.missed.catch_up import Offer
from pitasker_core.runs.model import RunState
from pitasker_core.runs.spans import Failure, Span
from pitasker_core.sync.merge import ChangeKind
from pitasker_core.sync.operation_history import Operation
from pitasker_core.sync.store import Outcome
from pitasker_core.tasks import Listing, State, Task

_LONGEST = 90
"""The maximum length of the line of output that an item shows."""


_FINDINGS = 20
"""The maximum number of findings that are separate items."""


class Action(StrEnum):
    """An action on an item. Its value is the label of its button."""

    VIEW_OUTPUT = "View output"
    RUN_AGAIN = "Run again"
    RUN_NOW = "Run now"
    DISMISS = "Dismiss"
    ACCEPT = "Accept"
    COMPARE = "Compare"
    RESOLVE = "Resolve"
    OPEN = "Open"
    FIX = "Fix"
    SILENCE = "Silence"
    LIST = "Show all"
    SYNC = "Sync now"
    EDIT = "Edit the crontab"


@dataclass(frozen=True)
class Item:
    """Something that needs attention. `subject` is shown in bold before the sentence."""

    color: Color
    icon: str
    subject: str
    sentence: str
    actions: tuple[Action, ...] = ()
    tasks: tuple[int, ...] = ()
    runs: tuple[int, ...] = ()
    finding: Finding | None = None


@dataclass(frozen=True)
class Facts:
    """The facts from which the items are made."""

    listing: Listing
    now: datetime
    failures: Sequence[Failure] = ()
    missed: Sequence[Span] = ()
    """The newest missed runs, oldest first."""
    running: Sequence[Span] = ()
    offer: Offer | None = None
    operations: Sequence[Operation] = ()
    cron_alive: bool | None = None
    background: Mapping[str, str] = field(default_factory=dict)
    """The error message of each failed background job, by its name."""
    dismissed: Collection[int] = ()
    examined: Examined | None = None
    """The doctor's findings in the crontab."""


def items(facts: Facts) -> list[Item]:
    """Return the items, the worst first."""
    return [
        *_cron(facts),
        *_operations(facts),
        *_failing(facts),
        *_offered(facts),
        *_missed(facts),
        *_conflicts(facts),
        *_not_written(facts),
        *_findings(facts),
        *_hand_edits(facts),
        *_lines(facts),
        *_running(facts),
    ]


def health(shown: Sequence[Item]) -> Health:
    """Return the health of these items. Blue items are only news."""
    colors = {item.color for item in shown}
    if "red" in colors:
        return Health.RED
    return Health.YELLOW if "orange" in colors else Health.GREEN


def _cron(facts: Facts) -> list[Item]:
    items = []
    if facts.cron_alive is False:
        sentence = marked("No job starts. Type `sudo systemctl start cron` in a terminal.")
        items.append(Item("red", "power_off", "cron is not running.", sentence))
    if facts.listing.problem:
        items.append(Item("red", "error", "", facts.listing.problem.user_message))
    for name, message in facts.background.items():
        items.append(Item("red", "error", f"In the background, {name} failed:", message))
    return items


def _operations(facts: Facts) -> list[Item]:
    newest = facts.operations[0] if facts.operations else None
    if newest is None or newest.outcome != Outcome.FAILED:
        return []
    # A failure that left nothing undone was reported when it happened.
    if not {State.PENDING, State.FAILED} & set(facts.listing.states.values()):
        return []
    when = ago(newest.started_at, facts.now)
    sentence = Text(f"failed {when}: ", newest.error_message or "")
    return [Item("red", "sync_problem", f"The last {newest.kind}", sentence, (Action.SYNC,))]


def _failing(facts: Facts) -> list[Item]:
    names = _tasks(facts)
    return [
        Item(
            "red",
            "error",
            visible(names[failure.task].name),
            _failure(failure, facts.now),
            (Action.VIEW_OUTPUT, Action.RUN_AGAIN, Action.DISMISS),
            (failure.task,),
            (failure.run,),
        )
        for failure in facts.failures
        if failure.task in names and failure.run not in facts.dismissed
    ]


def _failure(failure: Failure, now: datetime) -> str:
    reason = failure.note or in_words(RunState.FAILED, failure.exit_code, failure.signal)
    sentence = f"failed {ago(failure.started_at, now)}: {reason}"
    last = last_line(failure.output)
    return Text(f"{sentence}: ", Code(last)) if last else sentence


def last_line(output: bytes) -> str:
    """Return the last line of an output that is not blank, cut to a length."""
    lines = (terminal_output.words(line).strip() for line in terminal_output.lines(output)[::-1])
    line = next(filter(None, lines), "")
    return f"{line[: _LONGEST - 1]}…" if len(line) > _LONGEST else line


def _offered(facts: Facts) -> list[Item]:
    offer = facts.offer
    if offer is None:
        return []
    tasks = tuple(missed.task for missed in offer.missed)
    runs = tuple(span.id for span in facts.missed if span.task in tasks)
    if runs and set(runs) <= set(facts.dismissed):
        return []
    actions = (Action.RUN_NOW, Action.DISMISS)
    return [Item("orange", "power_off", "", offer.message, actions, tasks, runs)]


def _missed(facts: Facts) -> list[Item]:
    """Return the tasks whose newest run was missed and is not part of the offer."""
    offered = {missed.task for missed in facts.offer.missed} if facts.offer else set()
    newest = {span.task: span for span in facts.missed}
    return [
        Item(
            "orange",
            "event_busy",
            visible(task.name),
            f"was missed {_times(span)}{ago(span.started_at, facts.now)}: {span.note}".rstrip(": "),
            (Action.RUN_NOW, Action.DISMISS),
            (task.id,),
            (span.id,),
        )
        for task in _tasks(facts).values()
        if task.status == RunState.MISSED
        and not task.paused
        and task.id not in offered
        and (span := newest.get(task.id))
        and span.id not in facts.dismissed
    ]


def _times(span: Span) -> str:
    return f"{span.missed} times, first " if span.missed > 1 else ""


def _conflicts(facts: Facts) -> list[Item]:
    return [
        Item(
            "orange",
            "call_split",
            visible(task.name),
            "was changed here and in the crontab, differently.",
            (Action.RESOLVE,),
            (task.id,),
        )
        for task in facts.listing.tasks
        if facts.listing.states[task.id] is State.CONFLICT
    ]


def _not_written(facts: Facts) -> list[Item]:
    items = [
        Item(
            "red",
            "error",
            visible(task.name),
            f"could not be written to the crontab: {facts.listing.details[task.id]}",
            (Action.OPEN,),
            (task.id,),
        )
        for task in facts.listing.tasks
        if facts.listing.states[task.id] is State.FAILED
    ]
    compared = facts.listing.comparison
    waiting = [c for c in compared.plan.changes if c.kind is ChangeKind.PUSH] if compared else []
    if waiting:
        sentence = f"{counted(len(waiting), 'change')} made here not in the crontab yet."
        items.append(Item("orange", "sync", "", sentence, (Action.SYNC, Action.COMPARE)))
    return items


def _findings(facts: Facts) -> list[Item]:
    """Return the doctor's findings of high severity: entries that will not run as written."""
    examined = facts.examined
    if examined is None:
        return []
    severe = [f for f in examined.report.findings if f.severity is Severity.HIGH]
    groups: dict[tuple[str, int | None], list[Finding]] = {}
    for finding in severe:
        # Entries with the same fault are one item, unless each has its own fix.
        own_line = finding.line if finding.fix else None
        groups.setdefault((finding.message, own_line), []).append(finding)
    shown = list(groups.values())[:_FINDINGS]
    tasks, owners = _tasks(facts), examined.tasks or {}
    items = [_finding(tasks.get(owners.get(group[0].line)), group) for group in shown]
    if more := len(severe) - sum(map(len, shown)):
        subject = counted(more, "more finding")
        listed = "of high severity. The page Tasks lists them all."
        items.append(Item("orange", "build", subject, listed, (Action.LIST,)))
    return items


def _finding(task: Task | None, group: Sequence[Finding]) -> Item:
    """Return the item of entries with the same fault. `task` is that of the first one."""
    finding, others = group[0], len(group) - 1
    subject = visible(task.name) if task else f"Line {finding.line} of the crontab"
    sentence = Text("will not run as written. ", finding.message)
    if others:
        subject = f"{subject} and {counted(others, 'other entry', 'other entries')}"
        return Item("orange", "build", subject, sentence, (Action.LIST,))
    place = Action.OPEN if task else Action.EDIT
    actions = (*((Action.FIX,) if finding.fix else ()), place, Action.SILENCE)
    tasks = (task.id,) if task else ()
    return Item("orange", "build", subject, sentence, actions, tasks, (), finding)


def _hand_edits(facts: Facts) -> list[Item]:
    compared = facts.listing.comparison
    if compared is None:
        return []
    return [
        Item(
            "blue",
            "edit",
            visible(task.fields.name),
            Text("was edited outside PiTasker: ", hand_edit(change, compared)),
            (Action.ACCEPT, Action.COMPARE),
            (task.task,),
        )
        for change in compared.plan.changes
        if change.kind is ChangeKind.PULL
        and change.theirs != change.base
        and (task := compared.tasks_by_tag.get(change.tag))
    ]


def _lines(facts: Facts) -> list[Item]:
    compared = facts.listing.comparison
    if compared is None:
        return []
    items = []
    if invalid := compared.document.invalid_lines:
        more = f" and {len(invalid) - 1} more" if len(invalid) > 1 else ""
        subject = f"Line {invalid[0] + 1}{more} of the crontab"
        items.append(Item("orange", "rule", subject, "cannot be read by cron.", (Action.EDIT,)))
    reading = compared.reading
    for tags, what in ((reading.copies, "a copied tag"), (reading.unknown, "an unknown tag")):
        if tags:
            entries = counted(len(tags), "entry", "entries")
            items.append(Item("orange", "tag", f"{entries} with {what}.", "", (Action.COMPARE,)))
    return items


def _running(facts: Facts) -> list[Item]:
    names = _tasks(facts)
    return [
        Item(
            "blue",
            "pending",
            visible(names[span.task].name),
            f"has been running for {ago(span.started_at, facts.now).removesuffix(' ago')}.",
            (Action.VIEW_OUTPUT,),
            (names[span.task].id,),
            (span.id,),
        )
        for span in facts.running
        if span.task in names
    ]


def _tasks(facts: Facts) -> dict[int | None, Task]:
    return {task.id: task for task in facts.listing.tasks}
