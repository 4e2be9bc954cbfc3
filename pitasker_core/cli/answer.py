from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pitasker_core.base import terminal
from pitasker_core.base.errors import CrontabReverted, MassRemoval
from pitasker_core.base.text import on_one_line

NOT_YET = "Saved, but not yet in the crontab."


@dataclass(frozen=True)
class Answer:
    """The answer of a command: data for programs, and a text for people."""

    data: Any
    text: str
    in_order: bool = True


def raw(words: Namespace, parts: Iterable[bytes], data: Any) -> Answer | int:
    """Print bytes as they are. For `--json`, answer `data` instead."""
    if words.json:
        return Answer(data, "")
    terminal.print_bytes(parts)
    return 0


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows under their heads, in columns. No cell can control the terminal."""
    clean = [[on_one_line(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[i]) for row in clean) for i in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    )


def by_task(texts: Mapping[int, str]) -> list[str]:
    """Return a line for each task and its text."""
    return [f"task {task}: {text}" for task, text in texts.items()]


@contextmanager
def advising(advice: str) -> Iterator[None]:
    """Name the command's options in the advice of an error that asks for a confirmation."""
    try:
        yield
    except (MassRemoval, CrontabReverted) as problem:
        raise type(problem)(problem.message, advice) from problem
