"""What a command answers, and how it is put for people."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pitasker_core.base.errors import CrontabReverted, MassRemoval
from pitasker_core.base.text import on_one_line

NOT_YET = "Saved, but not in the crontab yet."


@dataclass(frozen=True)
class Answer:
    """What a command has to say, for programs and for people."""

    data: Any
    text: str
    in_order: bool = True


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under their heads, in columns; nothing in a cell is obeyed by a terminal."""
    clean = [[on_one_line(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[i]) for row in clean) for i in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    )


@contextmanager
def advising(advice: str) -> Iterator[None]:
    """Say by which options a person confirms, where the core can only say that one must."""
    try:
        yield
    except (MassRemoval, CrontabReverted) as problem:
        raise type(problem)(problem.message, advice) from problem
