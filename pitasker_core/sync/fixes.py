"""What can be done about each kind of discrepancy, in one act each."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from pitasker_core.base.environment import Environment
from pitasker_core.crontab.draft import Draft
from pitasker_core.sync import edit, importing, service
from pitasker_core.sync.edit import Saved
from pitasker_core.sync.importing import Import, ImportResult
from pitasker_core.sync.merge import Policy
from pitasker_core.sync.service import Request, SyncResult
from pitasker_core.sync.validation import Discrepancy, Finding


class Fix(StrEnum):
    """The acts, in the words of their buttons."""

    TAKE_CRONTAB = "Take the crontab's"
    TAKE_DATABASE = "Take the database's"
    IMPORT = "Import"
    PUT_RECORDER_BACK = "Put the recorder back"
    KEEP_AS_COMMENT = "Keep as a comment"
    MAKE_PART = "Make it part of the command"
    COMMENT_OUT = "Comment out"
    UNIX_LINE_END = "Mend the line end"


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
    """The fixes that can be offered for a finding."""
    if finding.kind is Discrepancy.ODD_ENTRY and "\r" in (finding.text or ""):
        return [Fix.UNIX_LINE_END]
    if finding.kind is Discrepancy.MISSING_RECORDER and finding.change is None:
        return []  # no task's: the one who wrote it knows what it is
    return FIXES[finding.kind]


def apply(
    environment: Environment, actor: str, findings: Sequence[Finding], fix: Fix
) -> ImportResult | SyncResult | Saved:
    """Do the same about findings that all offer it, and say what that did.

    Raises any PiTaskerError. A finding that is not as it was when it was shown is refused: Stale,
    ConcurrentModification, or for an import an error of its line.
    """
    if fix is Fix.IMPORT:
        wanted = [Import(f.line, f"{f.text}\n") for f in findings if f.line and f.text is not None]
        return importing.import_entries(environment, actor, wanted)
    if fix in (Fix.COMMENT_OUT, Fix.UNIX_LINE_END):
        mend = _commented if fix is Fix.COMMENT_OUT else _without_carriage_return
        return _mend_lines(environment, actor, findings, mend)
    if fix in (Fix.KEEP_AS_COMMENT, Fix.MAKE_PART):
        return _move_words(environment, actor, findings, fix)
    seen = [f.change for f in findings if f.change]
    tags = {change.tag for change in seen}
    if fix is Fix.PUT_RECORDER_BACK:
        return service.sync(environment, Request(actor, "resolve", tags))
    policy = Policy.CRONTAB if fix is Fix.TAKE_CRONTAB else Policy.DATABASE
    choices = dict.fromkeys(tags, policy)
    return service.sync(environment, Request(actor, "resolve", tags, choices, seen))


def _commented(line: str) -> str:
    return f"# {line}"


def _without_carriage_return(line: str) -> str:
    return line.removesuffix("\r")


def _mend_lines(
    environment: Environment, actor: str, findings: Sequence[Finding], mend: Callable[[str], str]
) -> Saved:
    text, _ = service.read_crontab(environment)
    lines = (text or "").split("\n")
    for at in _unchanged(lines, findings):
        lines[at] = mend(lines[at])
    return edit.save_raw(environment, "\n".join(lines), text, actor=actor)


def _move_words(
    environment: Environment, actor: str, findings: Sequence[Finding], fix: Fix
) -> Saved:
    """Take words from behind tags, where the shell ignores them."""
    text, document = service.read_crontab(environment)
    draft = Draft(document)
    for at in _unchanged((text or "").split("\n"), findings):
        if fix is Fix.MAKE_PART:
            draft.words_to_command(at)
        else:
            draft.words_to_comment(at)
    return edit.save_raw(environment, str(draft.done()), text, actor=actor)


def _unchanged(lines: Sequence[str], findings: Sequence[Finding]) -> list[int]:
    """The indexes of the findings' lines. Raises ConcurrentModification for one that changed."""
    indexes = [(finding.line or 0) - 1 for finding in findings]
    for at, finding in zip(indexes, findings, strict=True):
        if not 0 <= at < len(lines) or lines[at] != finding.text:
            raise edit.changed_since()
    return indexes
