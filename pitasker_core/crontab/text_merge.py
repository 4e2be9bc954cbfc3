"""Merge two edits of the same text, line by line, as diff3(1) does. Pure.

Where both sides changed the same lines differently, the lines of both stand between markers. cron
takes no line that is a marker, so such a text cannot be saved before a person has decided.
"""

import re
from dataclasses import dataclass, field

from pitasker_core.crontab.difference import changed_ranges

MINE = "<<<<<<< your lines\n"
THEIRS = "||||||| lines of the crontab\n"
END = ">>>>>>> end of both\n"

_Change = tuple[int, int, int, int]


@dataclass(frozen=True)
class Merged:
    """A merged text, and the number of places that need a decision."""

    text: str
    conflicts: int


@dataclass
class _Hunk:
    """The lines `start:end` of the base, with the changes of each side that overlap there."""

    start: int
    end: int
    mine: list[_Change] = field(default_factory=list)
    theirs: list[_Change] = field(default_factory=list)


def merge_texts(base: str, mine: str, theirs: str) -> Merged:
    """Apply the changes from `base` to `mine`, and those from `base` to `theirs`."""
    old, own, other = _split(base), _split(mine), _split(theirs)
    parts: list[str] = []
    conflicts = at = 0
    for hunk in _hunks(changed_ranges(old, own), changed_ranges(old, other)):
        parts += old[at : hunk.start]
        at = hunk.end
        lines, is_conflict = _merge_hunk(
            old[hunk.start : hunk.end],
            _side(hunk, hunk.mine, old, own),
            _side(hunk, hunk.theirs, old, other),
        )
        parts += lines
        conflicts += is_conflict
    parts += old[at:]
    # A last line without a line end may have got lines below it.
    return Merged("".join([*_ended(parts[:-1]), *parts[-1:]]), conflicts)


def _split(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _ended(lines: list[str]) -> list[str]:
    return [line if line.endswith("\n") else f"{line}\n" for line in lines]


def _hunks(mine: list[_Change], theirs: list[_Change]) -> list[_Hunk]:
    """Return the changed places in order. Changes that overlap, or insert at the same place, share
    a hunk. Changes of neighbouring lines do not: they are different entries.
    """
    hunks: list[_Hunk] = []
    changes = [(change, True) for change in mine] + [(change, False) for change in theirs]
    for change, is_mine in sorted(changes):
        start, end = change[:2]
        last = hunks[-1] if hunks else None
        same_place = last and last.start == last.end == start == end
        if last is None or not (start < last.end or same_place):
            last = _Hunk(start, end)
            hunks.append(last)
        last.end = max(last.end, end)
        (last.mine if is_mine else last.theirs).append(change)
    return hunks


def _side(hunk: _Hunk, changes: list[_Change], old: list[str], new: list[str]) -> list[str]:
    """Return what a side has in place of the lines of a hunk."""
    lines, at = [], hunk.start
    for start, end, new_start, new_end in changes:
        lines += [*old[at:start], *new[new_start:new_end]]
        at = end
    return [*lines, *old[at : hunk.end]]


def _merge_hunk(before: list[str], mine: list[str], theirs: list[str]) -> tuple[list[str], bool]:
    """Return the merged lines of a place, and whether a person must decide."""
    if theirs in (before, mine):
        return mine, False
    if mine == before:
        return theirs, False
    if not before:  # both added lines, which do not exclude each other
        return [*_ended(theirs), *mine], False
    return [MINE, *_ended(mine), THEIRS, *_ended(theirs), END], True
