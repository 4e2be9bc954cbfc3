"""What a sync refuses to do until a person confirms it or decides."""

from collections.abc import Collection, Sequence

from pitasker_core.base.errors import CrontabReverted, MassRemoval, ParseError, Stale
from pitasker_core.base.text import listed, marked
from pitasker_core.crontab.document import Document
from pitasker_core.sync import merge
from pitasker_core.sync.comparison import Comparison, is_mass_removal
from pitasker_core.sync.merge import Change, ChangeKind, Plan
from pitasker_core.sync.request import Request
from pitasker_core.sync.stale_editor import put_back


def resolve(comparison: Comparison, request: Request) -> Plan:
    """Return the part of the plan that was requested, with the person's choices.

    What an old editor undid is always part of it. Raises Stale.
    """
    plan = comparison.plan
    if request.only is not None:
        changed = comparison.origin.changed if comparison.origin else frozenset()
        undone = {c.tag for c in plan.changes if c.kind is ChangeKind.PUSH and c.tag in changed}
        plan = plan.only({*request.only, *undone})
    _refuse_unseen(plan, request.seen)
    return merge.resolve(plan, request.choices, request.policy)


def refuse_unconfirmed(comparison: Comparison, plan: Plan, request: Request) -> None:
    """Stop before taking over what a person may not have meant.

    Raises MassRemoval or CrontabReverted.
    """
    _refuse_mass_removal(comparison, plan)
    # The whole plan, not the requested part: the next write hides that the crontab went back.
    pulls = plan.pulls if request.choices else comparison.plan.pulls
    _refuse_unclear_removal(comparison, pulls)
    origin = comparison.origin
    if origin is None:
        return
    if origin.is_exact and pulls:
        raise CrontabReverted(
            "The crontab is back at an older text, from before PiTasker's last change to it.",
            "If that was meant, confirm to take it over; else let the database's version win.",
        )
    if not request.choices and not origin.is_exact:
        _refuse_clashes(comparison)


def _refuse_mass_removal(comparison: Comparison, plan: Plan) -> None:
    if is_mass_removal(comparison, plan):
        removals = [c for c in plan.pulls if c.result is None]
        total = len(comparison.base)
        raise MassRemoval(
            f"{len(removals)} of {total} managed entries are gone from the crontab.",
            "If that was meant, confirm, and their tasks stay as database-only. "
            "Else restore a snapshot, or let the database's version win.",
        )


def _refuse_unclear_removal(comparison: Comparison, pulls: Sequence[Change]) -> None:
    gone = [c for c in pulls if c.result is None and c.tag in comparison.unclear]
    if gone:
        raise CrontabReverted(
            f"An entry that PiTasker wrote lately is gone from the crontab: {_names(gone)}. It was "
            "deleted by hand, or an editor was saved that was opened before PiTasker wrote it.",
            "If it was deleted, confirm, and its task stays as database-only; else let the "
            "database's version win, and the entry is put back.",
        )


def _refuse_clashes(comparison: Comparison) -> None:
    origin = comparison.origin
    if origin is None:
        return
    tags = [change.tag for change in comparison.plan.pushes]
    restored = put_back(comparison.document, origin, tags)
    clashes = [line for line in restored.clashes if line.strip()]
    if clashes:
        raise CrontabReverted(
            "The crontab was saved from an editor that was opened before PiTasker's last change, "
            f"and both changed the same lines, which no task manages: {_quote(clashes)}.",
            "Write them as you want them in the raw editor, or confirm to take the crontab over as "
            "it is.",
        )


def _refuse_unseen(plan: Plan, seen: Collection[Change]) -> None:
    """Raise Stale if a side changed since a person was shown the conflicts."""
    shown = {change.tag: (change.ours, change.theirs) for change in seen}
    for change in plan.changes if shown else ():
        if shown.get(change.tag, (change.ours, change.theirs)) != (change.ours, change.theirs):
            raise Stale(
                "One side was changed again since it was shown.",
                "Nothing was done. Look at both sides again, then choose.",
            )


def refuse_nul(document: Document) -> None:
    """Raise ParseError for a crontab with a NUL byte, which cron reads as the end of a line."""
    if "\0" not in str(document):
        return
    for number, line in enumerate(document.lines, 1):
        if "\0" in line.raw:
            raise ParseError(
                f"Line {number} of the crontab holds a NUL byte, which makes cron read it as two.",
                marked(
                    "PiTasker leaves this crontab alone until that line is mended with "
                    "`crontab -e`."
                ),
            )


def _names(changes: Sequence[Change]) -> str:
    return _quote([change.ours.name for change in changes if change.ours])


def _quote(lines: Sequence[str]) -> str:
    return listed([f"“{line[:80]}”" for line in lines], 3)
