"""The older text that somebody edited into the present crontab. Pure.

`crontab -e` gives an editor a copy, and installs what comes back, however long that takes. What
PiTasker wrote meanwhile is missing in it. A merge must compare such a text with its ancestor: the
text that the editor opened.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pitasker_core.crontab.document import Blank, Document
from pitasker_core.crontab.document.tags import MARK
from pitasker_core.sync.sides import BaseEntry, CrontabReading, KnownTask, comments_further_up, read


@dataclass(frozen=True)
class Origin:
    """The origin of a crontab, when PiTasker has written another text since."""

    ancestor: Document
    newest: Document
    """The last known crontab before the present one."""
    base: dict[UUID, BaseEntry]
    """The base of both sides at the ancestor."""
    changed: frozenset[UUID]
    """The tags of entries that both sides changed together since then."""
    tags: frozenset[UUID]
    """The tags of entries that a plan decides about."""
    comments: frozenset[tuple[UUID, str]]
    """The comments that PiTasker wrote above entries, with their tags."""
    is_exact: bool
    """The crontab *is* the ancestor: somebody put it back unchanged."""
    is_certain: bool
    """The crontab has a line that only the ancestor had, and the newest has not."""


def find_ancestor(text: str, candidates: Sequence[str]) -> int:
    """Return the index of the text that a crontab was most probably edited from.

    `candidates` are newest first, and the first is always possible. A candidate is impossible if it
    lacks a tagged line that the crontab shares with the newest text, or a comment above such a
    line: it is older than that line. Among equally near candidates the newest wins.
    """
    lines = Counter(text.split("\n"))
    shared = _tagged_lines(candidates[0].split("\n")) & lines.keys()
    best, least = 0, _distance(lines, Counter(candidates[0].split("\n")))
    for index, candidate in enumerate(candidates[1:], 1):
        others = Counter(candidate.split("\n"))
        if shared <= others.keys() and (distance := _distance(lines, others)) < least:
            best, least = index, distance
    return best


def is_older_text(text: str, candidate: str, newest: str) -> bool:
    """Return whether a text cannot be the newest one minus one entry, plus new lines.

    That is so if the text is the candidate, if it has a line or a tag that only the candidate has,
    or if it lacks more than one entry (with its comment) of the newest text.
    """
    if text == candidate or _tags(text) & (_tags(candidate) - _tags(newest)):
        return True
    saved, then, now = (Counter(filter(None, t.split("\n"))) for t in (text, candidate, newest))
    return bool((saved - now) & (then - now)) or not _is_one_deletion(newest, now - saved, text)


def find_ambiguous_entries(
    document: Document, ancestor: Document, newest: Document
) -> frozenset[UUID]:
    """Return the tags of missing entries: a person deleted them, or an old editor never had them.

    An entry that the ancestor has without its tag was deleted in either case.
    """
    untagged = {(e.schedule, e.command) for _, e in ancestor.entries() if e.tag is None}
    return frozenset(
        entry.tag
        for _, entry in newest.entries()
        if entry.tag
        and entry.tag not in document.by_tag
        and entry.tag not in ancestor.by_tag
        and (entry.schedule, entry.command) not in untagged
    )


def trace_origin(
    document: Document,
    ancestor: Document,
    newest: Document,
    tasks_by_tag: Mapping[UUID, KnownTask],
    base: Mapping[UUID, BaseEntry],
) -> Origin:
    """Return what follows from a crontab's ancestor. `base` is the present base."""
    old_base = _old_base(ancestor, newest, read(ancestor, tasks_by_tag, base), base)
    only_old = _only_in_ancestor(ancestor, newest)
    tags = {**base, **old_base}
    return Origin(
        ancestor,
        newest,
        old_base,
        frozenset(tag for tag in tags if base.get(tag) != old_base.get(tag)),
        frozenset({*tasks_by_tag, *tags}),
        _own_comments([*base.items(), *old_base.items()]),
        is_exact=document.lines == ancestor.lines,
        is_certain=any(line.raw in only_old for line in document.lines),
    )


def _old_base(
    ancestor: Document,
    newest: Document,
    reading: CrontabReading,
    base: Mapping[UUID, BaseEntry],
) -> dict[UUID, BaseEntry]:
    """Return the base of both sides at the ancestor."""
    only_old = _only_in_ancestor(ancestor, newest)
    old_base: dict[UUID, BaseEntry] = {}
    for tag in {**base, **reading.where}:
        if tag in reading.where:
            index = reading.where[tag]
            comment = ancestor.comment_above(index)
            if comment is None:
                is_ours = False
            elif tag in base:
                is_ours = base[tag].comment_is_ours
            else:  # a comment that left together with its entry was ours
                is_ours = ancestor.lines[index - 1].raw in only_old
            above = comments_further_up(ancestor, index) if is_ours else ()
            old_base[tag] = BaseEntry(reading.theirs[tag], comment, is_ours, above)
        elif tag not in newest.by_tag:
            old_base[tag] = base[tag]
    return old_base


def _only_in_ancestor(ancestor: Document, newest: Document) -> Counter[str]:
    lines = [line.raw for line in ancestor.lines if not isinstance(line, Blank)]
    return Counter(lines) - Counter(line.raw for line in newest.lines)


def _own_comments(entries: Iterable[tuple[UUID, BaseEntry]]) -> frozenset[tuple[UUID, str]]:
    return frozenset(
        (tag, entry.comment)
        for tag, entry in entries
        if entry.comment_is_ours and entry.comment is not None
    )


def _is_one_deletion(newest: str, missing: Counter[str], text: str) -> bool:
    """Return whether a text lacks at most one line, with the comment directly above the line.

    A tagged line whose tag is still in the text was changed, not deleted.
    """
    if missing.total() > 2:
        return False
    lines = newest.split("\n")
    for above, line in zip(["", *lines], lines, strict=False):
        rest = missing - Counter([line])
        if rest == missing or (MARK in line and line.partition(MARK)[2][:36] in text):
            continue
        if above.startswith("#") and MARK not in above:
            rest -= Counter([above])
        if not rest:
            return True
    return not missing


def _tags(text: str) -> set[str]:
    return {after[:36] for after in text.split(MARK)[1:]}


def _tagged_lines(lines: Sequence[str]) -> set[str]:
    """Return the tagged lines and the comments directly above them.

    These comments stay where a person removes a line alone.
    """
    tagged: set[str] = set()
    for above, line in zip(["", *lines], lines, strict=False):
        if MARK in line:
            tagged |= {line, above} if above.startswith("#") else {line}
    return tagged


def _distance(lines: Counter[str], others: Counter[str]) -> int:
    """Return the number of lines that only one of two texts has, and of words in these lines."""
    only_lines, only_others = lines - others, others - lines
    words, other_words = _words(only_lines), _words(only_others)
    return (
        only_lines.total()
        + only_others.total()
        + (words - other_words).total()
        + (other_words - words).total()
    )


def _words(lines: Counter[str]) -> Counter[str]:
    words: Counter[str] = Counter()
    for line, count in lines.items():
        for word in line.split():
            words[word] += count
    return words
