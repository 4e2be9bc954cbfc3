"""Where an entry stood in a crontab, and where that is in the crontab of another time. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from pitasker_core.base.text import visible
from pitasker_core.crontab.document import Blank, Comment, Document, Entry, EnvironmentLine, Line

LINES_AROUND = 25
"""How many lines above and below an entry are remembered."""


@dataclass(frozen=True)
class Place:
    """The lines around an entry that was taken out, and the settings above it."""

    document: Document
    index: int
    """Of the entry, in `document`."""
    comment_is_ours: bool
    """Whether PiTasker wrote the comment directly above the entry."""

    @property
    def entry(self) -> Entry:
        """The entry as it stood there."""
        return self.document.entry(self.index)

    @property
    def has_own_comment(self) -> bool:
        """Whether the line directly above is a comment that PiTasker wrote."""
        return self.comment_is_ours and self.document.comment_above(self.index) is not None


def place_of(document: Document, index: int, *, comment_is_ours: bool) -> Place:
    """The place of the entry at an index."""
    first = max(0, index - LINES_AROUND)
    settings = [line for line in document.lines[:first] if isinstance(line, EnvironmentLine)]
    lines = (*settings, *document.lines[first : index + LINES_AROUND + 1])
    at = len(settings) + index - first
    return Place(Document(lines, document.dialect), at, comment_is_ours)


def find_place(
    document: Document, place: Place, others: Mapping[UUID, Place] | None = None
) -> int | None:
    """The index above which an entry belongs that comes back; None when its place is gone.

    That is between the same neighbours, and under the same settings where both can be. `others`
    are the places of entries that were out of the crontab for some time. They are no neighbours to
    go by, but say which of two that stand between the same neighbours comes first.
    """
    others = others or {}
    old = _without(place.document, others, document.by_tag.keys() | {place.entry.tag})
    new = _without(document, others, place.document.by_tag.keys())
    at = old.index(place.index)
    own = [old.pop(at - 1)] if place.has_own_comment else []
    at -= len(own)
    old.pop(at)
    if own and (above := _waiting_comment(document, place, own[0])) is not None:
        return above + 1
    old_keys = [_key(place.document.lines[i]) for i in old]
    new_keys = [_key(document.lines[i]) for i in new]
    kept = _unchanged(old_keys, new_keys, at) or _matched(old_keys, new_keys)
    nearest = {
        max((j for j in range(at) if old_keys[j]), default=None),
        min((j for j in range(at, len(old)) if old_keys[j]), default=None),
    } - {None}
    if nearest and not nearest & kept.keys():
        return None
    low = max((new[kept[j]] for j in kept if j < at), default=-1) + 1
    high = min((new[kept[j]] for j in kept if j >= at), default=len(document.lines))
    is_below = at - 1 in kept or (at == 0 and at not in kept)
    low, high, is_beside = _beside(document, low, high, place, others)
    best = low if is_below or is_beside else _above_comments(document, high, low)
    settings = place.document.environment(place.index)
    choices = [best, *(i for i in range(low, high + 1) if _above_comments(document, i, low) == i)]
    return next((i for i in choices if document.environment(i) == settings), best)


def describe_environment(
    document: Document, index: int, place: Place, *, is_back: bool
) -> str | None:
    """What a person must know of an entry that came back; None when it is where it was.

    `is_back`: it stands between the neighbours that it had.
    """
    now, before = document.environment(index), place.document.environment(place.index)
    if is_back and now == before:
        return None
    where = (
        "It is back in its place in the crontab, but other settings reach it now than before"
        if is_back
        else "Its old place in the crontab is gone, so it stands in a new one"
    )
    settings = [_said(name, value) for name, value in now.items() if before.get(name) != value]
    settings += [f"no {_shortened(name)}" for name in before.keys() - now.keys()]
    if not settings:
        return f"{where}, under the same settings as before."
    more = f" and {len(settings) - 8} more" if len(settings) > 8 else ""
    return f"{where}: {', '.join(settings[:8])}{more}."


def _said(name: str, value: str) -> str:
    quoted = _shortened(value) or '""'
    return f"{_shortened(name)}={quoted}"


def _shortened(text: str) -> str:
    text = visible(text).replace("\t", " ")
    return text if len(text) <= 60 else f"{text[:60]}…"


def _without(
    document: Document, others: Mapping[UUID, Place], there: Collection[UUID | None]
) -> list[int]:
    """The indexes of a crontab's lines, without entries that are not `there` at another time."""
    indexes: list[int] = []
    for index, line in enumerate(document.lines):
        tag = line.tag if isinstance(line, Entry) else None
        other = others.get(tag) if tag else None
        if other is None or tag in there:
            indexes.append(index)
        elif other.has_own_comment and indexes and indexes[-1] == index - 1:
            indexes.pop()
    return indexes


def _waiting_comment(document: Document, place: Place, own: int) -> int | None:
    """The index of our comment above an entry, where somebody took out the entry alone."""
    comment = place.document.lines[own]
    old, new = (
        [_key(line) for line in lines] for lines in (place.document.lines[:own], document.lines)
    )
    for index, line in enumerate(document.lines):
        is_last = index + 1 == len(document.lines)
        if line.raw != comment.raw or (old and (not index or new[index - 1] != old[-1])):
            continue
        if is_last or not isinstance(document.lines[index + 1], Entry):
            return index
        below = document.lines[index + 1]
        after = place.document.lines[place.index + 1 : place.index + 2]
        if after and _key(after[0]) == _key(below):
            return index
    return None


def _key(line: Line) -> object:
    """What makes a line the same one at another time: an entry stays itself when it is edited.

    None for a blank line.
    """
    if isinstance(line, Blank):
        return None
    if isinstance(line, Entry) and line.tag:
        return line.tag
    return line.raw.removesuffix("\n")


def _unchanged(old: list[object], new: list[object], at: int) -> dict[int, int]:
    """Old indexes to new ones where the lines around `at` stand together as they did, else none."""
    first = max(0, at - LINES_AROUND)
    around = old[first:]
    starts = [0] if first == 0 and at < LINES_AROUND else []
    for start in [*starts, *range(len(new) - len(around) + 1)]:
        if new[start : start + len(around)] == around:
            return {first + i: start + i for i in range(len(around))}
    return {}


def _matched(old: list[object], new: list[object]) -> dict[int, int]:
    """Old indexes to new ones of the lines that are still there, in the same order.

    The longest common subsequence. Blank lines count least: any may stand for any.
    """
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        row, below, weight = best[i], best[i + 1], 4 if old[i] else 1
        for j in reversed(range(len(new))):
            if old[i] == new[j]:
                row[j] = below[j + 1] + weight
            else:
                row[j] = max(below[j], row[j + 1])
    i = j = 0
    kept = {}
    while i < len(old) and j < len(new):
        if old[i] == new[j] and best[i][j] == best[i + 1][j + 1] + (4 if old[i] else 1):
            kept[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return kept


def _beside(
    document: Document, low: int, high: int, place: Place, others: Mapping[UUID, Place]
) -> tuple[int, int, bool]:
    """The bounds, narrowed by the entries between them whose places know which comes first.

    The last value says whether the entry directly above the lower bound is one of them.
    """
    tag = place.entry.tag
    is_beside = False
    for index in range(low, high):
        line = document.lines[index]
        other = others.get(line.tag) if isinstance(line, Entry) and line.tag else None
        if other is None or tag is None or not isinstance(line, Entry) or line.tag is None:
            continue
        # The later of the two places knows both.
        if tag in other.document.by_tag:
            is_after = other.document.by_tag[tag][0] > other.index
        elif line.tag in place.document.by_tag:
            is_after = place.document.by_tag[line.tag][0] < place.index
        else:
            continue
        if is_after:
            low, is_beside = index + 1, True
        else:
            high = _above_comments(document, index, low)
            break
    return low, high, is_beside


def _above_comments(document: Document, index: int, low: int) -> int:
    """The index of the first of the comments that stand directly above a line."""
    while index > low and isinstance(document.lines[index - 1], Comment):
        index -= 1
    return index
