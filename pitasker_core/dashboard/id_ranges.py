"""The ids of tasks in an address, such as `/tasks?only=3,7-90`. Pure.

Tasks that were imported together have ids in a row, and proxies limit the length of an address.
"""

from collections.abc import Collection, Iterable

from pitasker_core.base.text import as_id
from pitasker_core.crontab import series

_MOST = 1000
"""The maximum number of ranges that are read."""


def write(ids: Iterable[int]) -> str:
    """Return ids as text."""
    spans = series.spans(sorted(ids))
    return ",".join(f"{first}-{last}" if first < last else str(first) for first, last in spans)


def find(text: str, ids: Collection[int]) -> set[int]:
    """Return those of the ids that a text has. Other texts have none."""
    spans = []
    for part in text.split(",")[:_MOST]:
        ends = [as_id(end) for end in part.split("-")]
        first, last = ends[0], ends[-1]
        if len(ends) <= 2 and first is not None and last is not None:
            spans.append((first, last))
    return {id for id in ids if any(first <= id <= last for first, last in spans)}
