"""The older text that a crontab saved by hand was made from, and our changes since, put back. Pure.

`crontab -e` hands an editor a copy, and installs what comes back, however long that takes. What
PiTasker wrote meanwhile is missing from it. A merge must compare such a text with its ancestor, the
text that the editor was opened on.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from pitasker_core.crontab.document import Blank, Document, EnvironmentLine, Line, parse_line
from pitasker_core.sync.sides import BaseEntry, KnownTask, comments_further_up, read


@dataclass(frozen=True)
class Origin:
    """What a crontab was made from, when PiTasker has written another one since."""

    ancestor: Document
    newest: Document
    """The crontab as it was last known before."""
    base: dict[UUID, BaseEntry]
    """What both sides agreed on at the ancestor."""
    changed: frozenset[UUID]
    """The tags of what was changed on both sides together since then."""
    tags: frozenset[UUID]
    """Those of entries that a plan decides about."""
    comments: frozenset[tuple[UUID, str]]
    """What PiTasker wrote above entries, by their tags."""
    is_exact: bool
    """The crontab *is* the ancestor: nothing was changed in it, it came back."""
    is_certain: bool
    """The crontab holds something that only the ancestor had, and the newest has not."""


@dataclass(frozen=True)
class PutBack:
    """A crontab with our changes since its ancestor."""

    document: Document
    sources: list[int | None]
    """For each line its index in the crontab as it was saved; None for one that was put back."""
    clashes: list[str]
    """Lines that no task manages, changed here and in the editor: they stay as the editor has them.
    """


def nearest(text: str, candidates: Sequence[str]) -> int:
    """The index of the text that a crontab was most probably made from.

    `candidates` are newest first; the first of them always can be it. One that lacks a tagged line
    which the crontab shares with the newest, or a comment above such a line, cannot: that line is
    younger. Of those as near, the newest is taken.
    """
    lines = Counter(text.split("\n"))
    shared = _marked(candidates[0].split("\n")) & lines.keys()
    best, least = 0, _distance(lines, Counter(candidates[0].split("\n")))
    for index, candidate in enumerate(candidates[1:], 1):
        others = Counter(candidate.split("\n"))
        if shared <= others.keys() and (distance := _distance(lines, others)) < least:
            best, least = index, distance
    return best


def shows_age(text: str, candidate: str, newest: str) -> bool:
    """Whether a text cannot be the newest one after a person deleted one entry and added lines.

    It is the older text itself, it holds an old wording, or it lacks more than one entry (with its
    comment) of the newest.
    """
    if text == candidate:
        return True
    saved, then, now = (Counter(filter(None, t.split("\n"))) for t in (text, candidate, newest))
    return bool((saved - now) & (then - now)) or not _is_one_deletion(newest, now - saved, text)


def unseen(document: Document, ancestor: Document, newest: Document) -> frozenset[UUID]:
    """The tags of entries that a person deleted, or that an old editor never had.

    An entry that the ancestor has without its tag was there to be deleted in either case.
    """
    plain = {(e.schedule, e.command) for _, e in ancestor.entries() if e.tag is None}
    return frozenset(
        entry.tag
        for _, entry in newest.entries()
        if entry.tag
        and entry.tag not in document.by_tag
        and entry.tag not in ancestor.by_tag
        and (entry.schedule, entry.command) not in plain
    )


def _is_one_deletion(newest: str, missing: Counter[str], text: str) -> bool:
    """Whether the lines that a text lacks are at most one, with the comment directly above it.

    A tagged line whose tag is still in the text was changed, not deleted.
    """
    if missing.total() > 2:
        return False
    lines = newest.split("\n")
    for above, line in zip(["", *lines], lines, strict=False):
        rest = missing - Counter([line])
        if rest == missing or (_TAG in line and line.partition(_TAG)[2][:36] in text):
            continue
        if above.startswith("#") and _TAG not in above:
            rest -= Counter([above])
        if not rest:
            return True
    return not missing


_TAG = "# PITASKER_ID:"


def _marked(lines: Sequence[str]) -> set[str]:
    """The tagged lines, and the comments directly above them. These stay where a person takes out
    a line alone."""
    marked: set[str] = set()
    for above, line in zip(["", *lines], lines, strict=False):
        if _TAG in line:
            marked |= {line, above} if above.startswith("#") else {line}
    return marked


def _distance(one: Counter[str], other: Counter[str]) -> int:
    """How many lines, and words in these, only one of two texts has."""
    only_one, only_other = one - other, other - one
    words, other_words = _words(only_one), _words(only_other)
    return (
        only_one.total()
        + only_other.total()
        + (words - other_words).total()
        + (other_words - words).total()
    )


def _words(lines: Counter[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    for line, count in lines.items():
        for word in line.split():
            words[word] += count
    return words


def origin_of(
    document: Document,
    ancestor: Document,
    newest: Document,
    known: Mapping[UUID, KnownTask],
    base: Mapping[UUID, BaseEntry],
) -> Origin:
    """What follows from a crontab's ancestor. `base` is what both sides agreed on last."""
    older = read(ancestor, known, base)
    written = [line.raw for line in ancestor.lines if not isinstance(line, Blank)]
    gone = Counter(written) - Counter(line.raw for line in newest.lines)
    then: dict[UUID, BaseEntry] = {}
    for tag in {**base, **older.where}:
        if tag in older.where:
            index = older.where[tag]
            comment = ancestor.comment_above(index)
            if tag in base:
                ours = base[tag].comment_is_ours
            else:  # what went with the entry was ours
                ours = comment is not None and ancestor.lines[index - 1].raw in gone
            ours = ours and comment is not None
            above = comments_further_up(ancestor, index) if ours else ()
            then[tag] = BaseEntry(older.theirs[tag], comment, ours, above)
        elif tag not in newest.by_tag:
            then[tag] = base[tag]
    agreed = [*base.items(), *then.items()]
    return Origin(
        ancestor,
        newest,
        then,
        frozenset(t for t in {**base, **then} if base.get(t) != then.get(t)),
        frozenset({*known, *base, *then}),
        frozenset((t, a.comment) for t, a in agreed if a.comment_is_ours and a.comment is not None),
        is_exact=document.lines == ancestor.lines,
        is_certain=any(line.raw in gone for line in document.lines),
    )


def put_back(document: Document, origin: Origin, added: Collection[UUID]) -> PutBack:
    """A crontab with what was changed between its ancestor and the newest text.

    Of managed entries only those are put in, at their place, that are `added`; what else became of
    these is a plan's to write. An entry whose place is gone is left out, for the plan to add.
    """
    work = _Work(document, origin, added)
    for start, end, first, last in _changes(work.then, work.newest):
        work.carry_over(start, end, first, last)
    return work.done()


_Key = tuple[str, object]


def _changes(old: list[_Key], new: list[_Key]) -> list[tuple[int, int, int, int]]:
    """Where two lists differ, as in difflib; as many lines for as many are pairs of single ones."""
    found = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "replace" and i2 - i1 == j2 - j1:
            found += [(i1 + n, i1 + n + 1, j1 + n, j1 + n + 1) for n in range(i2 - i1)]
        elif kind != "equal":
            found.append((i1, i2, j1, j2))
    return found


class _Work:
    """A crontab while our changes are put back into it."""

    def __init__(self, document: Document, origin: Origin, added: Collection[UUID]) -> None:
        self.document, self.ancestor, self.now = document, origin.ancestor, origin.newest
        self.then, self.newest = _keys(self.ancestor, origin), _keys(self.now, origin)
        self.saved = _keys(document, origin)
        self.everywhere = {*self.then} & {*self.saved}
        self.edits = _changes(self.then, self.saved)
        self.added = set(added) - document.by_tag.keys()
        self.place = self._places()
        """Where in the crontab each line of the ancestor is that was left as it was."""
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
        """Put one change back: lines `start` to `end` of the ancestor became `first` to `last`."""
        plain = [i for i in range(start, end) if self.then[i][0] == "line"]
        if first == last:
            self._remove(plain)
            return
        if any(self._is_moved(*key) for key in self.newest[first:last]):
            self._clash(first, last)
            return
        lines = [self.now.lines[j] for j in range(first, last) if self._is_wanted(*self.newest[j])]
        if plain and len(lines) < last - first and not self._are_there(first, last):
            return  # these lines became the entry of a task that is not to have one
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
            # A setting acts on the lines below it: those of the editor were not below ours.
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
        """Whether it is an entry that PiTasker put in another place."""
        return kind == "entry" and {(kind, what)} <= self.everywhere

    def _is_wanted(self, kind: str, what: object) -> bool:
        return kind == "line" or what in self.added

    def _are_there(self, first: int, last: int) -> bool:
        """Whether the entries that are not to be put in are in the crontab already."""
        missing = {what for kind, what in self.newest[first:last] if kind == "entry"} - self.added
        return missing <= self.document.by_tag.keys()

    def _touched(self, start: int, end: int) -> list[tuple[int, int, int, int]]:
        """What the editor changed of these lines of the ancestor."""
        return [edit for edit in self.edits if edit[0] < end and start < edit[1]]

    def _gap(self, start: int, end: int) -> int | None:
        """Where in the crontab a change belongs, None when both its neighbours are gone."""
        if start == 0:
            return 0
        if start - 1 in self.place:
            return self.place[start - 1] + 1
        return len(self.saved) if end == len(self.then) else self.place.get(end)

    def _beside(self, start: int) -> list[int]:
        """The indexes of lines that the editor put at the same place."""
        return [
            j
            for i1, _, j1, j2 in self.edits
            if i1 == start
            for j in range(j1, j2)
            if not isinstance(self.document.lines[j], Blank)
        ]

    def _clash(self, first: int, last: int) -> None:
        self.clashes += [self.now.lines[j].raw.removesuffix("\n") for j in range(first, last)]

    def done(self) -> PutBack:
        """The crontab with all that was put back."""
        self._balance()
        if not self.dropped and not self.inserted:
            return PutBack(self.document, list(range(len(self.saved))), self.clashes)
        lines: list[tuple[Line, int | None]] = []
        for index in range(len(self.saved) + 1):
            lines += [(line, None) for line in self.inserted.get(index, [])]
            if index < len(self.saved) and index not in self.dropped:
                lines.append((self.document.lines[index], index))
        dialect = self.document.dialect
        # A last line without a line end may not be the last one any more.
        whole = [
            line if line.raw.endswith("\n") else parse_line(line.raw + "\n", dialect)
            for line, _ in lines[:-1]
        ]
        whole += [line for line, _ in lines[-1:]]
        sources = [source for _, source in lines]
        return PutBack(Document(tuple(whole), dialect), sources, self.clashes)

    def _balance(self) -> None:
        """Leave out changes that PiTasker did not make to the number of times a line occurs.

        A difference of two texts shows a line as removed and added when an entry moved past it. A
        line that occurs as often as in the newest text needs no further change.
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
    """What each line is for the merge: a managed entry, and our comment above it, whatever they
    say; and everything else by its text."""
    keys: list[_Key] = [("line", line.raw.removesuffix("\n")) for line in document.lines]
    for tag, (index, *_) in document.by_tag.items():
        if tag in origin.tags:
            keys[index] = ("entry", tag)
            if (tag, document.comment_above(index)) in origin.comments:
                keys[index - 1] = ("comment", tag)
    return keys
