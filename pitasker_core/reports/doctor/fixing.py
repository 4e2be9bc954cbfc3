"""Apply a fix of the doctor by the ways in which a person edits."""

from typing import Any

from pitasker_core import tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound, ReadOnly
from pitasker_core.crontab import environment_lines
from pitasker_core.crontab.doctor.finding import Finding, Fix
from pitasker_core.crontab.document import Document, EnvironmentLine
from pitasker_core.crontab.draft import Draft
from pitasker_core.reports.doctor.examining import Examined, examine
from pitasker_core.sync import edit
from pitasker_core.sync.edit import Saved
from pitasker_core.sync.install import digest
from pitasker_core.tasks import Applied, Edit


def apply_fix(
    environment: Environment, actor: Actor, rule: str, line: int, shown: str | None = None
) -> Applied | Saved:
    """Apply the fix of a finding: of a task as an edit of it, else as an edit of the crontab.

    `shown` is the digest of the crontab that was examined. Raises NotFound when there is no such
    fix, ConcurrentModification when the crontab was changed since it was shown, and what the edit
    itself raises; then nothing was changed.
    """
    if environment.read_only:
        raise ReadOnly
    examined = examine(environment, fresh=True)
    if shown not in (None, examined.digest):
        raise edit.changed_since()
    finding = _fixable(examined, rule, line)
    fix = finding.fix
    assert fix is not None  # noqa: S101 - `_fixable` returns no other
    task = (examined.tasks or {}).get(line)
    if task is not None and fix.value is None:
        return tasks.apply(environment, actor, [Edit(task, fields=_fields(fix))])
    text = str(examined.document)
    new = str(_edited(examined.document, line - 1, fix))
    # A crontab that is not installed has no text; an empty one has an empty text.
    based_on = None if digest(None) == examined.digest else text
    return edit.save_raw(environment, new, based_on, actor=actor)


def _fixable(examined: Examined, rule: str, line: int) -> Finding:
    findings = (*examined.report.findings, *examined.silenced)
    for finding in findings:
        if (finding.rule, finding.line) == (rule, line) and finding.fix:
            return finding
    raise NotFound(f"The rule {rule} has no fix for line {line}.", "Examine the crontab again.")


def _edited(document: Document, index: int, fix: Fix) -> Document:
    if fix.value is not None:
        line = document.lines[index]
        name = line.name if isinstance(line, EnvironmentLine) else ""
        return environment_lines.change(document, index, name, fix.value)
    return Draft(document).change(index, **_fields(fix)).done()


def _fields(fix: Fix) -> dict[str, Any]:
    """The fields of an entry, or of a task, that a fix changes."""
    values = {"schedule": fix.schedule, "command": fix.command}
    return {name: value for name, value in values.items() if value is not None}
