"""Questions to file systems, which may hang: answers are waited for a short time only."""

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

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
    waiting = list(questions)
    _abandoned[:] = [thread for thread in _abandoned if thread.is_alive()]
    if not waiting or len(_abandoned) >= _ABANDONED_LIMIT:
        return {}
    asking = _Asking(waiting[::-1], answer)
    threads = [asking.start() for _ in range(min(_WORKERS, len(waiting)))]
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    asking.questions.clear()
    _abandoned.extend(thread for thread in threads if thread.is_alive())
    return dict(asking.answers)


class _Asking(Generic[Question, Answer]):
    """Questions that threads take from a list, and their answers."""

    def __init__(self, questions: list[Question], answer: Callable[[Question], Answer]) -> None:
        self.questions = questions
        self.answers: dict[Question, Answer] = {}
        self._answer = answer

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, daemon=True, name="doctor")
        thread.start()
        return thread

    def _work(self) -> None:
        while True:
            try:
                question = self.questions.pop()
            except IndexError:
                return
            try:
                self.answers[question] = self._answer(question)
            except (OSError, ValueError, RuntimeError):
                continue
