"""The place of an entry in a crontab, and the same place in a later crontab. Pure."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias
from uuid import UUID

from pitasker_core.base.text import listed, visible
from pitasker_core.crontab.document import Blank, Comment, Document, Entry, Line

LINES_AROUND = 25
"""The number of lines above and below an entry that its place keeps."""


_Key: TypeAlias = str | int | None


@dataclass(frozen=True)
class Place:
    """The lines around an entry that left the crontab, and the environment lines above it."""

    document: Document
    index: int
    """The index of the entry in `document`."""
    comment_is_ours: bool
    """Whether PiTasker wrote the comment directly above the entry."""

    @property
    def entry(self) -> Entry:
        """The entry as it was there."""
        return self.document.entry(self.index)

    @cached_property
    def has_own_comment(self) -> bool:
        """Whether the line directly above is a comment that PiTasker wrote."""
        return self.comment_is_ours and self.document.comment_above(self.index) is not None


def place_of(document: Document, index: int, *, comment_is_ours: bool) -> Place:
    """Return the place of the entry at an index."""
    first = max(0, index - LINES_AROUND)
    environment = [line for at, line in document.environment_lines if at < first]
    lines = (*environment, *document.lines[first : index + LINES_AROUND + 1])
    at = len(environment) + index - first
    return Place(Document(lines, document.dialect), at, comment_is_ours)


class PlaceFinder:
    """The places of entries in a crontab to which they return one after another.

    `places` are those of all entries that were out of the crontab for some time. They are not used
    as neighbours. They only decide the order of entries between the same neighbours.
    """

    def __init__(self, document: Document, places: Mapping[UUID, Place]) -> None:
        self._document = document
        self._places = places
        # Kept, because reading all lines for each of 500 entries took 20 seconds.
        self._keys = [_key(line) for line in document.lines]
        self._tags = set(document.by_tag)
        self._out: dict[_Key, bool] = {
            tag.int: place.has_own_comment for tag, place in places.items()
        }
        self._returned = self._out.keys() & self._keys

    def find(self, place: Place) -> int | None:
        """Return the index of the line below an entry that returns; None if its place is gone.

        The entry gets the same neighbours, and the same environment if both are possible.
        """
        document = self._document
        all_old_keys = [_key(line) for line in place.document.lines]
        tags = place.document.by_tag.keys()
        gone = {tag.int for tag in tags if tag not in self._tags and tag != place.entry.tag}
        old = self._without(all_old_keys, gone & self._out.keys())
        new = self._without(self._keys, self._returned - {tag.int for tag in tags})
        at = old.index(place.index)
        own = [old.pop(at - 1)] if place.has_own_comment else []
        at -= len(own)
        old.pop(at)
        if own and (above := self._waiting_comment(place, all_old_keys, own[0])) is not None:
            return above + 1
        old_keys = [all_old_keys[i] for i in old]
        new_keys = [self._keys[i] for i in new]
        pairs = _unchanged(old_keys, new_keys, at) or _matched(old_keys, new_keys)
        nearest = {
            max((j for j in range(at) if old_keys[j]), default=None),
            min((j for j in range(at, len(old)) if old_keys[j]), default=None),
        } - {None}
        if nearest and not nearest & pairs.keys():
            return None
        low = max((new[pairs[j]] for j in pairs if j < at), default=-1) + 1
        high = min((new[pairs[j]] for j in pairs if j >= at), default=len(document.lines))
        is_below = at - 1 in pairs or (at == 0 and at not in pairs)
        low, high, is_beside = _beside(document, low, high, place, self._places)
        best = low if is_below or is_beside else _above_comments(document, high, low)
        if low == high:
            return best
        environment = place.document.environment(place.index)
        indexes = range(low, high + 1)
        choices = [best, *(i for i in indexes if _above_comments(document, i, low) == i)]
        return next((i for i in choices if document.environment(i) == environment), best)

    def follow(self, document: Document, tag: UUID, above: int | None) -> None:
        """Go on with a document to which an entry returned, above the line at an index."""
        index = len(self._keys) if above is None else above
        first = max(0, index - 1)  # the comment above the entry may have changed
        end = index + len(document.lines) - len(self._keys)
        self._keys[first:index] = [_key(line) for line in document.lines[first:end]]
        self._document = document
        self._tags.add(tag)
        self._returned.add(tag.int)

    def _without(self, keys: list[_Key], hidden: Collection[_Key]) -> list[int]:
        """Return the indexes of lines, without hidden entries and our comments above these."""
        indexes: list[int] = []
        for index, key in enumerate(keys):
            if key not in hidden:
                indexes.append(index)
            elif self._out[key] and indexes and indexes[-1] == index - 1:
                indexes.pop()
        return indexes

    def _waiting_comment(self, place: Place, old: list[_Key], own: int) -> int | None:
        """Return the index of our comment above an entry, if somebody removed the entry alone."""
        lines = self._document.lines
        above, below = old[own - 1 : own], old[place.index + 1 : place.index + 2]
        for index in _indexes(self._keys, old[own]):
            if lines[index].raw != place.document.lines[own].raw:
                continue
            if above and self._keys[index - 1 : index] != above:
                continue
            if index + 1 == len(lines) or not isinstance(lines[index + 1], Entry):
                return index
            if below == self._keys[index + 1 : index + 2]:
                return index
        return None


def describe_environment(
    document: Document, index: int, place: Place, *, is_back: bool
) -> str | None:
    """Return what a person must know about an entry that came back, or None if nothing changed.

    `is_back`: the entry has its old neighbours.
    """
    now, before = document.environment(index), place.document.environment(place.index)
    if is_back and now == before:
        return None
    where = (
        "It is back in its place in the crontab, but under other environment lines than before"
        if is_back
        else "Its old place in the crontab is gone, so it is in a new one"
    )
    changes = [_shown(name, value) for name, value in now.items() if before.get(name) != value]
    changes += [f"no {_shorten(name)}" for name in before.keys() - now.keys()]
    if not changes:
        return f"{where}, under the same environment lines as before."
    return f"{where}: {listed(changes, 8)}."


def _shown(name: str, value: str) -> str:
    quoted = _shorten(value) or '""'
    return f"{_shorten(name)}={quoted}"


def _shorten(text: str) -> str:
    text = visible(text).replace("\t", " ")
    return text if len(text) <= 60 else f"{text[:60]}…"


def _key(line: Line) -> _Key:
    """Return what identifies a line in a later crontab; None for a blank line.

    An edited entry keeps its identity.
    """
    if isinstance(line, Blank):
        return None
    if isinstance(line, Entry) and line.tag:
        return line.tag.int
    return line.raw.removesuffix("\n")


def _indexes(keys: list[_Key], key: _Key) -> Iterator[int]:
    index = -1
    with suppress(ValueError):
        while True:
            index = keys.index(key, index + 1)
            yield index


def _unchanged(old: list[_Key], new: list[_Key], at: int) -> dict[int, int]:
    """Map old indexes to new ones if the lines around `at` are unchanged; else map none."""
    first = max(0, at - LINES_AROUND)
    around = old[first:]
    for start in _indexes(new, around[0]) if around else ():
        if new[start : start + len(around)] == around:
            return {first + i: start + i for i in range(len(around))}
    return {}


def _matched(old: list[_Key], new: list[_Key]) -> dict[int, int]:
    """Map the old indexes of the lines that are still there to the new ones, in the same order.

    This is the longest common subsequence. Blank lines count least: they all look alike.
    """
    # Most lines match nothing. The first of such neighbours stands for all of them.
    keys = set(old)
    columns = [j for j, key in enumerate(new) if key in keys or not j or new[j - 1] in keys]
    new = [new[j] for j in columns]
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        row, below, weight = best[i], best[i + 1], 4 if old[i] else 1
        for j in reversed(range(len(new))):
            if old[i] == new[j]:
                row[j] = below[j + 1] + weight
            else:
                row[j] = max(below[j], row[j + 1])
    i = j = 0
    pairs = {}
    while i < len(old) and j < len(new):
        if old[i] == new[j] and best[i][j] == best[i + 1][j + 1] + (4 if old[i] else 1):
            pairs[i] = columns[j]
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _beside(
    document: Document, low: int, high: int, place: Place, others: Mapping[UUID, Place]
) -> tuple[int, int, bool]:
    """Return the bounds, narrowed by entries between them whose places decide the order.

    The last value says whether the entry directly above the lower bound is such an entry.
    """
    tag = place.entry.tag
    is_beside = False
    for index in range(low, high):
        line = document.lines[index]
        other = others.get(line.tag) if isinstance(line, Entry) and line.tag else None
        if other is None or tag is None or not isinstance(line, Entry) or line.tag is None:
            continue
        # The later of the two places holds both entries.
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
    """Return the index of the first of the comments directly above a line."""
    while index > low and isinstance(document.lines[index - 1], Comment):
        index -= 1
    return index
