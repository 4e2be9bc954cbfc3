"""The difference between two texts of a crontab, as proof of what a write did. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

from pitasker_core.text import visible


@dataclass(frozen=True)
class Difference:
    """What became of the lines: how many are new, gone or the same, and a unified diff.

    A line that was changed counts as one `changed`, not as one that went and one that came.
    """

    changed: int
    added: int
    removed: int
    identical: int
    text: str

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    def __str__(self) -> str:
        """In words: "1 line changed, 41 identical"."""
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
    """Compare two texts; None is the absence of a crontab."""
    old, new = _lines(before), _lines(after)
    changed = added = removed = identical = 0
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            identical += j - i
            continue
        both = min(j - i, m - k)
        changed += both
        removed += j - i - both
        added += m - k - both
    lines = unified_diff(old, new, "before", "after", lineterm="", n=1)
    text = "\n".join(line.removesuffix("\n") for line in list(lines)[2:])
    return Difference(changed, added, removed, identical, text)


def _lines(text: str | None) -> list[str]:
    """The lines, each with its end: LF only. What a page cannot show is replaced by stand-ins."""
    return re.findall(r"[^\n]*\n|[^\n]+", visible(text or ""))
