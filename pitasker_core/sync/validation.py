"""The discrepancies between the tasks and the crontab, each of a kind. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from pitasker_core.crontab.doctor.examination import examine_text_of
from pitasker_core.crontab.document import Document, Entry, Invalid
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.sync.merge import Change, ChangeKind
from pitasker_core.sync.service import Comparison


class Discrepancy(StrEnum):
    """The kinds of discrepancy."""

    CHANGED_IN_CRONTAB = "changed_in_crontab"
    CHANGED_IN_DATABASE = "changed_in_database"
    CHANGED_IN_BOTH = "changed_in_both"
    MISSING_IN_CRONTAB = "missing_in_crontab"
    UNKNOWN_TAG = "unknown_tag"
    COPIED_TAG = "copied_tag"
    LOST_TAG = "lost_tag"
    MISSING_RECORDER = "missing_recorder"
    INVALID_LINE = "invalid_line"
    WORDS_BEHIND_TAG = "words_behind_tag"
    ODD_ENTRY = "odd_entry"
    RUNS_TWICE = "runs_twice"
    UNMANAGED_ENTRY = "unmanaged_entry"


NOT_A_FAULT = {
    Discrepancy.UNMANAGED_ENTRY,
    Discrepancy.WORDS_BEHIND_TAG,
    Discrepancy.ODD_ENTRY,
    Discrepancy.RUNS_TWICE,
}
"""Facts worth knowing that need no sync."""


@dataclass(frozen=True)
class Finding:
    """A discrepancy. `line` is a line number (1 is the first), `text` is that line."""

    kind: Discrepancy
    message: str
    line: int | None = None
    text: str | None = None
    task: int | None = None
    tag: UUID | None = None
    change: Change | None = None


@dataclass(frozen=True)
class Report:
    """The findings of a validation, in the order of the crontab's lines."""

    findings: list[Finding]

    @property
    def is_valid(self) -> bool:
        """Whether a sync has nothing to do and no question."""
        return all(finding.kind in NOT_A_FAULT for finding in self.findings)


def validate(compared: Comparison) -> Report:
    """Report every discrepancy. The plan is that of a sync: this is its dry run."""
    document, reading = compared.document, compared.reading
    findings = [
        _of_change(compared, change)
        for change in compared.plan.changes
        if change.kind is not ChangeKind.REBASE
    ]
    findings += [
        _at(document, i, Discrepancy.UNKNOWN_TAG, "The database does not know this entry's tag.")
        for i in reading.unknown
    ]
    findings += [
        _at(
            document,
            i,
            Discrepancy.COPIED_TAG,
            "This is a copied tag; it belongs to another entry.",
        )
        for i in reading.copies
    ]
    findings += _wrong_recorders(compared)
    findings += of_lines(document)
    findings += _unmanaged(compared)
    return Report(sorted(findings, key=lambda f: f.line or len(document.lines) + 1))


def _unmanaged(compared: Comparison) -> list[Finding]:
    document, reading = compared.document, compared.reading
    lost = set(reading.lost.values())
    managed: dict[tuple[str, str], int] = {}
    for index in reading.where.values():
        entry = document.entry(index)
        if not entry.paused:
            managed.setdefault((entry.schedule, entry.command), index)
    findings = []
    for index in reading.unmanaged:
        entry = document.entry(index)
        same = managed.get((entry.schedule, entry.command))
        if index in lost:
            continue
        if same is None:
            message = "No task manages this entry."
            findings.append(_at(document, index, Discrepancy.UNMANAGED_ENTRY, message))
        else:
            message = (
                f"A task's entry in line {same + 1} has the same schedule and command, "
                "so cron runs it twice."
            )
            findings.append(_at(document, index, Discrepancy.RUNS_TWICE, message))
    return findings


def _wrong_recorders(compared: Comparison) -> list[Finding]:
    changes = {change.tag: change for change in compared.plan.changes}
    findings = []
    for index, entry in compared.document.entries():
        if entry.recorder is None or entry.paused:
            continue
        task = compared.tasks_by_tag.get(entry.tag) if entry.tag else None
        if entry.recorder.path in compared.gone_recorders:
            message = f"There is no recorder {entry.recorder.path}: this job does not run."
        elif task and entry.recorder.task != task.task:
            message = f"Its runs are recorded for task {entry.recorder.task}, not {task.task}."
        else:
            continue
        finding = _at(compared.document, index, Discrepancy.MISSING_RECORDER, message)
        change = changes.get(entry.tag) if entry.tag else None
        findings.append(replace(finding, change=change))
    return findings


def of_lines(document: Document) -> list[Finding]:
    """Report what is wrong or odd in single lines, without the database."""
    findings = []
    for index, line in enumerate(document.lines):
        if isinstance(line, Invalid):
            better = f" Perhaps {line.suggestion} was meant." if line.suggestion else ""
            message = f"Cron would not take this line: {line.reason}.{better}"
            findings.append(_at(document, index, Discrepancy.INVALID_LINE, message))
        elif isinstance(line, Entry):
            findings += [
                _at(document, index, Discrepancy.ODD_ENTRY, message)
                for message in _oddities(line, document.dialect)
            ]
            if line.words.strip():
                message = "The shell ignores the words after the tag, so they do nothing."
                findings.append(_at(document, index, Discrepancy.WORDS_BEHIND_TAG, message))
    return findings


def _oddities(entry: Entry, dialect: Dialect) -> list[str]:
    oddities = [finding.sentence for finding in examine_text_of(entry, dialect)]
    if entry.misplaced_tag:
        oddities.append("The tag is in the standard input: somebody wrote a % before it.")
    if entry.swallowed_tag:
        oddities.append("The shell reads the tag as a part of the command.")
    if entry.has_foreign_bytes:
        oddities.append("The line has bytes that are not UTF-8, so it cannot be a task.")
    return oddities


def _of_change(compared: Comparison, change: Change) -> Finding:
    task = compared.tasks_by_tag.get(change.tag)
    name = f"“{task.fields.name}”" if task else "An entry whose task is gone"
    index = compared.reading.entries.get(change.tag)
    if change.tag in compared.reading.lost and change.kind is ChangeKind.CONFLICT:
        kind, what = Discrepancy.LOST_TAG, "lost its tag in the crontab"
    elif change.kind is ChangeKind.CONFLICT:
        kind, what = Discrepancy.CHANGED_IN_BOTH, "was changed here and in the crontab, differently"
    elif change.kind is ChangeKind.PULL and change.theirs is None:
        kind, what = Discrepancy.MISSING_IN_CRONTAB, "is no longer in the crontab"
    elif change.kind is ChangeKind.PULL:
        kind, what = Discrepancy.CHANGED_IN_CRONTAB, "was changed in the crontab"
    else:
        kind, what = (
            Discrepancy.CHANGED_IN_DATABASE,
            "was changed here, and the crontab not yet",
        )
    return Finding(
        kind,
        f"{name} {what}.",
        line=None if index is None else index + 1,
        text=None if index is None else compared.document.lines[index].raw.removesuffix("\n"),
        task=task.task if task else None,
        tag=change.tag,
        change=change,
    )


def _at(document: Document, index: int, kind: Discrepancy, message: str) -> Finding:
    line = document.lines[index]
    return Finding(
        kind,
        message,
        line=index + 1,
        text=line.raw.removesuffix("\n"),
        tag=line.tag if isinstance(line, Entry | Invalid) else None,
    )
