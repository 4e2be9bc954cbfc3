"""The fixes for each kind of discrepancy. Each fix is one action."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.crontab.draft import Draft
from pitasker_core.sync import edit, importing, service
from pitasker_core.sync.edit import Saved
from pitasker_core.sync.importing import Import, ImportResult
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request, SyncResult
from pitasker_core.sync.store import OperationKind
from pitasker_core.sync.validation import Discrepancy, Finding


class Fix(StrEnum):
    """The fixes, in the words of their buttons."""

    TAKE_CRONTAB = "Keep the crontab's"
    TAKE_DATABASE = "Keep PiTasker's"
    IMPORT = "Import"
    PUT_RECORDER_BACK = "Put the recorder back"
    KEEP_AS_COMMENT = "Keep as a comment"
    MAKE_PART = "Make it part of the command"
    COMMENT_OUT = "Comment out"
    UNIX_LINE_END = "Fix the line end"


FIXES: dict[Discrepancy, list[Fix]] = {
    Discrepancy.CHANGED_IN_CRONTAB: [Fix.TAKE_CRONTAB, Fix.TAKE_DATABASE],
    Discrepancy.CHANGED_IN_DATABASE: [Fix.TAKE_DATABASE, Fix.TAKE_CRONTAB],
    Discrepancy.CHANGED_IN_BOTH: [Fix.TAKE_DATABASE, Fix.TAKE_CRONTAB],
    Discrepancy.MISSING_IN_CRONTAB: [Fix.TAKE_DATABASE, Fix.TAKE_CRONTAB],
    Discrepancy.LOST_TAG: [Fix.TAKE_DATABASE, Fix.TAKE_CRONTAB],
    Discrepancy.UNKNOWN_TAG: [Fix.IMPORT],
    Discrepancy.COPIED_TAG: [Fix.IMPORT],
    Discrepancy.RUNS_TWICE: [Fix.COMMENT_OUT],
    Discrepancy.UNMANAGED_ENTRY: [Fix.IMPORT],
    Discrepancy.MISSING_RECORDER: [Fix.PUT_RECORDER_BACK],
    Discrepancy.INVALID_LINE: [Fix.COMMENT_OUT],
    Discrepancy.WORDS_BEHIND_TAG: [Fix.KEEP_AS_COMMENT, Fix.MAKE_PART],
    Discrepancy.ODD_ENTRY: [],
}


def of(finding: Finding) -> list[Fix]:
    """Return the fixes for a finding."""
    if finding.kind is Discrepancy.ODD_ENTRY and "\r" in (finding.text or ""):
        return [Fix.UNIX_LINE_END]
    if finding.kind is Discrepancy.MISSING_RECORDER and finding.change is None:
        return []  # the entry of no task: only its author knows what it is
    return FIXES[finding.kind]


def apply(
    environment: Environment, actor: Actor, findings: Sequence[Finding], fix: Fix
) -> ImportResult | SyncResult | Saved:
    """Apply a fix to findings that all offer it, and return what that did.

    Raises any PiTaskerError. A finding that changed since a person saw it is refused: Stale,
    ConcurrentModification, or an error of its line for an import.
    """
    if fix is Fix.IMPORT:
        imports = [
            Import(finding.line, f"{finding.text}\n")
            for finding in findings
            if finding.line and finding.text is not None
        ]
        return importing.import_entries(environment, actor, imports)
    if fix in (Fix.COMMENT_OUT, Fix.UNIX_LINE_END):
        edit_line = _comment_out if fix is Fix.COMMENT_OUT else _remove_carriage_return
        return _edit_lines(environment, actor, findings, edit_line)
    if fix in (Fix.KEEP_AS_COMMENT, Fix.MAKE_PART):
        return _move_words(environment, actor, findings, fix)
    seen = [f.change for f in findings if f.change]
    tags = {change.tag for change in seen}
    if fix is Fix.PUT_RECORDER_BACK:
        return service.sync(environment, Request(actor, OperationKind.RESOLVE, tags))
    policy = Policy.CRONTAB if fix is Fix.TAKE_CRONTAB else Policy.DATABASE
    choices = dict.fromkeys(tags, policy)
    return service.sync(environment, Request(actor, OperationKind.RESOLVE, tags, choices, seen))


def _comment_out(line: str) -> str:
    return f"# {line}"


def _remove_carriage_return(line: str) -> str:
    return line.removesuffix("\r")


def _edit_lines(
    environment: Environment,
    actor: Actor,
    findings: Sequence[Finding],
    edit_line: Callable[[str], str],
) -> Saved:
    text, _ = service.read_crontab(environment)
    lines = (text or "").split("\n")
    for index in _unchanged_lines(lines, findings):
        lines[index] = edit_line(lines[index])
    return edit.save_raw(environment, "\n".join(lines), text, actor=actor)


def _move_words(
    environment: Environment, actor: Actor, findings: Sequence[Finding], fix: Fix
) -> Saved:
    """Move the words after tags, where the shell ignores them."""
    text, document = service.read_crontab(environment)
    draft = Draft(document)
    for index in _unchanged_lines((text or "").split("\n"), findings):
        if fix is Fix.MAKE_PART:
            draft.words_to_command(index)
        else:
            draft.words_to_comment(index)
    return edit.save_raw(environment, str(draft.done()), text, actor=actor)


def _unchanged_lines(lines: Sequence[str], findings: Sequence[Finding]) -> list[int]:
    """Return the indexes of the findings' lines. Raises ConcurrentModification if one changed."""
    indexes = [(finding.line or 0) - 1 for finding in findings]
    for index, finding in zip(indexes, findings, strict=True):
        if not 0 <= index < len(lines) or lines[index] != finding.text:
            raise edit.changed_since()
    return indexes
