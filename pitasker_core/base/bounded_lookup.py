"""Questions to file systems, which may hang: answers are waited for a short time only."""

import threading
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress
from typing import TypeVar

from pitasker_core.base import parallel

PATIENCE = 1.0
"""Seconds for which answers are waited for."""

_WORKERS = 2
"""Threads that ask at the same time, so that one path that hangs does not hold up the rest."""
_ABANDONED_LIMIT = 8
"""Threads that may hang in the kernel before nothing more is asked."""

_abandoned: list[threading.Thread] = []

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")


def ask(
    questions: Iterable[Question],
    answer: Callable[[Question], Answer],
    patience: float = PATIENCE,
) -> dict[Question, Answer]:
    """The answers that came in time; a question whose answer raises an error has none.

    A thread that hangs in the kernel cannot be ended. It is left alone.
    """
    waiting = list(questions)[::-1]
    answers: dict[Question, Answer] = {}
    _abandoned[:] = [thread for thread in _abandoned if thread.is_alive()]
    if not waiting or len(_abandoned) >= _ABANDONED_LIMIT:
        return {}

    def work() -> None:
        while True:
            try:
                question = waiting.pop()
            except IndexError:
                return
            with suppress(OSError, ValueError, RuntimeError):
                answers[question] = answer(question)

    _abandoned.extend(parallel.run([work] * min(_WORKERS, len(waiting)), patience))
    waiting.clear()
    return dict(answers)
