"""Put PiTasker's changes back into a crontab that an old editor saved over them. Pure.

`ancestor` says which text the editor opened.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from pitasker_core.crontab.document import Blank, Document, EnvironmentLine, Line, parse_line
from pitasker_core.sync.ancestor import Origin


@dataclass(frozen=True)
class PutBack:
    """A crontab with our changes since its ancestor."""

    document: Document
    sources: list[int | None]
    """The index of each line in the saved crontab; None for a line that was put back."""
    clashes: list[str]
    """Unmanaged lines that were changed here and in the editor. The editor's version stays."""


def put_back(document: Document, origin: Origin, added: Collection[UUID]) -> PutBack:
    """Return a crontab with the changes between its ancestor and the newest text.

    `added` are the managed entries that are put in, at their place. The plan writes all other
    changes of managed entries, and entries whose place is gone.
    """
    merge = _Merge(document, origin, added)
    for start, end, first, last in _changes(merge.then, merge.newest):
        merge.carry_over(start, end, first, last)
    return merge.finish()


_Key = tuple[str, object]


def _changes(old: list[_Key], new: list[_Key]) -> list[tuple[int, int, int, int]]:
    """Return the differences of two lists, as difflib does.

    Several lines for equally many lines become pairs of single lines.
    """
    changes = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "replace" and i2 - i1 == j2 - j1:
            changes += [(i1 + n, i1 + n + 1, j1 + n, j1 + n + 1) for n in range(i2 - i1)]
        elif kind != "equal":
            changes.append((i1, i2, j1, j2))
    return changes


class _Merge:
    """Put our changes back into a crontab."""

    def __init__(self, document: Document, origin: Origin, added: Collection[UUID]) -> None:
        self.document, self.ancestor, self.now = document, origin.ancestor, origin.newest
        self.then, self.newest = _keys(self.ancestor, origin), _keys(self.now, origin)
        self.saved = _keys(document, origin)
        self.everywhere = {*self.then} & {*self.saved}
        self.edits = _changes(self.then, self.saved)
        self.added = set(added) - document.by_tag.keys()
        self.place = self._places()
        """The index in the crontab of each line of the ancestor that the editor did not change."""
        self.dropped: set[int] = set()
        self.inserted: dict[int, list[Line]] = {}
        self.clashes: list[str] = []

    def _places(self) -> dict[int, int]:
        place: dict[int, int] = {}
        i = j = 0
        end = (len(self.then), len(self.then), len(self.saved), len(self.saved))
        for i1, i2, j1, j2 in [*self.edits, end]:
            place.update(zip(range(i, i1), range(j, j1), strict=True))
            i, j = i2, j2
        return place

    def carry_over(self, start: int, end: int, first: int, last: int) -> None:
        """Put a change back: lines `start` to `end` of the ancestor became `first` to `last`."""
        plain = [i for i in range(start, end) if self.then[i][0] == "line"]
        if first == last:
            self._remove(plain)
            return
        if any(self._is_moved(*key) for key in self.newest[first:last]):
            self._clash(first, last)
            return
        lines = [
            self.now.lines[j] for j in range(first, last) if self._is_included(*self.newest[j])
        ]
        if plain and len(lines) < last - first and not self._are_there(first, last):
            return  # these lines became the entry of a task that wants none
        is_plain = bool(plain) or any(key[0] == "line" for key in self.newest[first:last])
        touched = self._touched(start, end)
        at = self._gap(start, end)
        if is_plain and (touched or at is None):
            edits = [(i1, i2, self.saved[j1:j2]) for i1, i2, j1, j2 in touched]
            if edits != [(start, end, self.newest[first:last])]:
                self._clash(first, last)
            return
        if at is None:
            return
        if any(isinstance(line, EnvironmentLine) for line in lines) and (
            beside := self._beside(start)
        ):
            # It acts on the lines below it, and the editor's lines were not below ours.
            if any(isinstance(self.document.lines[j], EnvironmentLine) for j in beside):
                self._clash(first, last)
                return
            at = max(beside) + 1
        self.dropped.update(self.place[i] for i in plain)
        self.inserted.setdefault(at, []).extend(lines)

    def _remove(self, plain: list[int]) -> None:
        for index in plain:
            if index in self.place:
                self.dropped.add(self.place[index])
            elif any(j1 < j2 for _, _, j1, j2 in self._touched(index, index + 1)):
                self.clashes.append(self.ancestor.lines[index].raw.removesuffix("\n"))

    def _is_moved(self, kind: str, what: object) -> bool:
        """Return whether a line is an entry that PiTasker moved."""
        return kind == "entry" and {(kind, what)} <= self.everywhere

    def _is_included(self, kind: str, what: object) -> bool:
        return kind == "line" or what in self.added

    def _are_there(self, first: int, last: int) -> bool:
        """Return whether the entries that are not put in are already in the crontab."""
        missing = {what for kind, what in self.newest[first:last] if kind == "entry"} - self.added
        return missing <= self.document.by_tag.keys()

    def _touched(self, start: int, end: int) -> list[tuple[int, int, int, int]]:
        """Return the editor's changes of these lines of the ancestor."""
        return [edit for edit in self.edits if edit[0] < end and start < edit[1]]

    def _gap(self, start: int, end: int) -> int | None:
        """Return the index of a change in the crontab; None when both its neighbours are gone."""
        if start == 0:
            return 0
        if start - 1 in self.place:
            return self.place[start - 1] + 1
        return len(self.saved) if end == len(self.then) else self.place.get(end)

    def _beside(self, start: int) -> list[int]:
        """Return the indexes of lines that the editor put at the same place."""
        return [
            j
            for i1, _, j1, j2 in self.edits
            if i1 == start
            for j in range(j1, j2)
            if not isinstance(self.document.lines[j], Blank)
        ]

    def _clash(self, first: int, last: int) -> None:
        self.clashes += [self.now.lines[j].raw.removesuffix("\n") for j in range(first, last)]

    def finish(self) -> PutBack:
        """Return the crontab with all that was put back."""
        self._balance()
        if not self.dropped and not self.inserted:
            return PutBack(self.document, list(range(len(self.saved))), self.clashes)
        lines: list[tuple[Line, int | None]] = []
        for index in range(len(self.saved) + 1):
            lines += [(line, None) for line in self.inserted.get(index, [])]
            if index < len(self.saved) and index not in self.dropped:
                lines.append((self.document.lines[index], index))
        dialect = self.document.dialect
        # A last line without a line end may no longer be the last.
        whole = [
            line if line.raw.endswith("\n") else parse_line(line.raw + "\n", dialect)
            for line, _ in lines[:-1]
        ]
        whole += [line for line, _ in lines[-1:]]
        sources = [source for _, source in lines]
        return PutBack(Document(tuple(whole), dialect), sources, self.clashes)

    def _balance(self) -> None:
        """Drop changes that would make a line occur more or less often than PiTasker did.

        A difference of two texts shows a line as removed and added when an entry moved past it. A
        line that occurs as often as in the newest text needs no change.
        """
        now, then = _counts(self.now), _counts(self.ancestor)
        saved = _counts(self.document)
        inserted = Counter(
            _text(line) for lines in self.inserted.values() for line in self._unmanaged(lines)
        )
        dropped = Counter(_text(self.document.lines[index]) for index in self.dropped)
        for text in {*inserted, *dropped}:
            done_here, needed = now[text] - then[text], now[text] - saved[text]
            most = max(0, min(done_here, needed))
            least = min(0, max(done_here, needed))
            more = inserted[text] - dropped[text]
            if more > most:
                self._insert_less(text, more - most)
            elif more < least:
                self._drop_less(text, least - more)

    def _unmanaged(self, lines: list[Line]) -> list[Line]:
        return [line for line in lines if getattr(line, "tag", None) not in self.added]

    def _insert_less(self, text: str, surplus: int) -> None:
        for at in sorted(self.inserted, reverse=True):
            for line in self._unmanaged(self.inserted[at]):
                if surplus and _text(line) == text:
                    self.inserted[at].remove(line)
                    surplus -= 1

    def _drop_less(self, text: str, surplus: int) -> None:
        same = [index for index in self.dropped if _text(self.document.lines[index]) == text]
        self.dropped.difference_update(sorted(same)[:surplus])


def _text(line: Line) -> str:
    return line.raw.removesuffix("\n")


def _counts(document: Document) -> Counter[str]:
    return Counter(map(_text, document.lines))


def _keys(document: Document, origin: Origin) -> list[_Key]:
    """Return the identity of each line in the merge.

    A managed entry and our comment above it are identified by the tag, whatever they say. All other
    lines are identified by their text.
    """
    keys: list[_Key] = [("line", line.raw.removesuffix("\n")) for line in document.lines]
    for tag, (index, *_) in document.by_tag.items():
        if tag in origin.tags:
            keys[index] = ("entry", tag)
            if (tag, document.comment_above(index)) in origin.comments:
                keys[index - 1] = ("comment", tag)
    return keys
