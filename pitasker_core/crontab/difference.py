"""The difference between two texts of a crontab. It shows what a write did. Pure."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher

from pitasker_core.base.text import visible


@dataclass(frozen=True)
class Difference:
    """The numbers of changed, added, removed and identical lines, and a unified diff.

    A changed line counts as one `changed`, not as a removed and an added line.
    """

    changed: int
    added: int
    removed: int
    identical: int
    text: str

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    def __str__(self) -> str:
        """Return the numbers in words: "1 line changed, 41 identical"."""
        parts = [
            f"{count} {'line' if count == 1 else 'lines'} {what}"
            for count, what in (
                (self.changed, "changed"),
                (self.added, "added"),
                (self.removed, "removed"),
            )
            if count
        ]
        return ", ".join([*(parts or ["No line changed"]), f"{self.identical} identical"])


def difference(before: str | None, after: str | None) -> Difference:
    """Compare two texts. None is the absence of a crontab.

    The time grows with the number of lines. Where too many lines differ, whole blocks count as
    changed, although a longer search might find a line that is in both texts.
    """
    old, new = _lines(before), _lines(after)
    blocks = _equal_blocks(old, new)
    changed = added = removed = 0
    matcher = _Compared(old, new, blocks)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            both = min(j - i, m - k)
            changed += both
            removed += j - i - both
            added += m - k - both
    identical = sum(length for _, _, length in blocks)
    lines: list[str] = []
    for group in matcher.get_grouped_opcodes(1):
        lines += _hunk(old, new, group)
    text = "\n".join(line.removesuffix("\n") for line in lines)
    return Difference(changed, added, removed, identical, text)


def changed_ranges(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    """Return the ranges of lines that differ: `old[i:j]` became `new[k:m]`."""
    matcher = _Compared(old, new, _equal_blocks(old, new))
    return [(i, j, k, m) for kind, i, j, k, m in matcher.get_opcodes() if kind != "equal"]


Block = tuple[int, int, int]
"""The start of equal lines in each text, and their number."""

_Opcode = tuple[str, int, int, int, int]


class _Compared(SequenceMatcher[str]):
    """difflib's hunks of blocks that a faster search found."""

    def __init__(self, old: list[str], new: list[str], blocks: list[Block]) -> None:
        super().__init__(None, (), (), autojunk=False)
        self.a, self.b = old, new
        ends = (len(old), len(new), 0)
        self.matching_blocks = [Match(*block) for block in [*blocks, ends]]


def _hunk(old: list[str], new: list[str], group: Sequence[_Opcode]) -> list[str]:
    first, last = group[0], group[-1]
    lines = [f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@"]
    for kind, i, j, k, m in group:
        if kind == "equal":
            lines += [f" {line}" for line in old[i:j]]
        else:
            lines += [f"-{line}" for line in old[i:j]]
            lines += [f"+{line}" for line in new[k:m]]
    return lines


def _range(start: int, end: int) -> str:
    """Return lines as the unified format counts them: from 1, or the line before an empty range."""
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + (length > 0)},{length}"


_MOST_EDITS = 200
"""Lines that may differ where no line is unique. The time grows with their square."""


def _equal_blocks(old: list[str], new: list[str]) -> list[Block]:
    """Return equal lines, in order.

    The first pass takes lines that are unique in both texts (patience diff). The second takes the
    lines around and between them.
    """
    blocks: list[Block] = []
    i = k = 0
    for at, to in _unique_in_both(old, new):
        blocks += [*_between(old, new, (i, at), (k, to)), (at, to, 1)]
        i, k = at + 1, to + 1
    blocks += _between(old, new, (i, len(old)), (k, len(new)))
    return _joined(blocks)


def _unique_in_both(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return the longest sequence of lines that are unique in both texts, in the same order."""
    once_old, once_new = Counter(old), Counter(new)
    places = {line: at for at, line in enumerate(new) if once_new[line] == 1}
    pairs = [
        (at, places[line]) for at, line in enumerate(old) if once_old[line] == 1 and line in places
    ]
    # The longest increasing subsequence, by piles of a game of patience.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, to) in enumerate(pairs):
        pile = bisect_left(tops, to)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [to]
        piles[pile : pile + 1] = [number]
    chosen = []
    number = piles[-1] if piles else -1
    while number >= 0:
        chosen.append(pairs[number])
        number = before[number]
    return chosen[::-1]


def _between(
    old: list[str], new: list[str], own: tuple[int, int], other: tuple[int, int]
) -> list[Block]:
    """Return the equal lines of a part of each text."""
    (i, j), (k, m) = own, other
    blocks: list[Block] = []
    start = i
    while i < j and k < m and old[i] == new[k]:
        i, k = i + 1, k + 1
    if i > start:
        blocks.append((start, k - (i - start), i - start))
    end = 0
    while j - end > i and m - end > k and old[j - end - 1] == new[m - end - 1]:
        end += 1
    a, b = old[i : j - end], new[k : m - end]
    blocks += [(i + at, k + to, length) for at, to, length in _most_equal(a, b)]
    if end:
        blocks.append((j - end, m - end, end))
    return blocks


def _most_equal(a: list[str], b: list[str]) -> list[Block]:
    """Return the most equal lines, and those in the same places if these are as many.

    Else a line that is changed between equal ones may count as one added and one removed.
    """
    blocks = _fewest_edits(a, b)
    if len(a) != len(b):
        return blocks
    in_place = [(at, at, 1) for at, line in enumerate(a) if line == b[at]]
    return in_place if len(in_place) >= sum(length for _, _, length in blocks) else blocks


def _fewest_edits(a: list[str], b: list[str]) -> list[Block]:
    """Return the equal lines by the fewest insertions and deletions, or none above a limit.

    (Myers, "An O(ND) Difference Algorithm", 1986.)
    """
    furthest = {1: 0}
    steps: list[dict[int, int]] = []
    for edits in range(min(_MOST_EDITS, len(a) + len(b)) + 1):
        steps.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            is_down = diagonal == -edits or (
                diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]
            )
            x = furthest[diagonal + 1] if is_down else furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < len(a) and y < len(b) and a[x] == b[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= len(a) and y >= len(b):
                return _way_back(steps, len(a), len(b))
    return []


def _way_back(steps: list[dict[int, int]], x: int, y: int) -> list[Block]:
    blocks: list[Block] = []
    for edits in range(len(steps) - 1, -1, -1):
        furthest, diagonal = steps[edits], x - y
        is_down = diagonal == -edits or (
            diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]
        )
        came_by = diagonal + 1 if is_down else diagonal - 1
        from_x = furthest[came_by]
        from_y = from_x - came_by
        begin = (from_x, from_y + 1) if is_down else (from_x + 1, from_y)
        if edits == 0:
            begin = (0, 0)
        if x > begin[0]:
            blocks.append((*begin, x - begin[0]))
        x, y = from_x, from_y
    return blocks[::-1]


def _joined(blocks: list[Block]) -> list[Block]:
    """Join blocks that continue each other."""
    joined: list[Block] = []
    for at, to, length in blocks:
        if joined and joined[-1][0] + joined[-1][2] == at and joined[-1][1] + joined[-1][2] == to:
            joined[-1] = (joined[-1][0], joined[-1][1], joined[-1][2] + length)
        else:
            joined.append((at, to, length))
    return joined


def _lines(text: str | None) -> list[str]:
    """Return the lines with their ends (LF only). Stand-ins replace what a page cannot show."""
    return re.findall(r"[^\n]*\n|[^\n]+", visible(text or ""))
