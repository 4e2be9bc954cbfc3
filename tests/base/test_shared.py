"""A shared value is computed once for all callers, and is never older than the caller's change."""

import threading

import pytest

from pitasker_core.base import local_changes
from pitasker_core.base.shared import Shared
from tests.helpers.waiting import until


class Slow:
    """A computation that counts its calls and waits for permission to end."""

    def __init__(self):
        self.number = 0
        self.may_end = threading.Event()

    def __call__(self):
        self.number += 1
        number = self.number
        assert self.may_end.wait(30)
        return number


def ask(shared, count, max_age=0.0):
    """Get the value in several threads at once. Returns the threads and their results."""
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(shared.get(max_age))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads, results


def test_all_who_wait_for_a_computation_share_the_next_one():
    slow = Slow()
    shared = Shared(slow)
    first, first_results = ask(shared, 1)
    until(lambda: slow.number == 1)
    others, results = ask(shared, 5)
    slow.may_end.set()
    for thread in (*first, *others):
        thread.join()
    # The first computation began before the other calls, so they wait for a second one.
    assert (first_results, set(results), slow.number) == ([1], {2}, 2)


def test_a_young_value_is_used_again_and_an_old_one_is_not():
    slow = Slow()
    slow.may_end.set()
    shared = Shared(slow)
    assert (shared.get(), shared.get(60), shared.peek(60)) == (1, 1, 1)
    assert (shared.get(0), shared.peek(0)) == (2, None)


def test_a_value_from_before_a_change_by_this_process_is_not_used():
    slow = Slow()
    slow.may_end.set()
    shared = Shared(slow)
    assert shared.get(60) == 1
    local_changes.note()
    assert shared.peek(60) is None
    assert shared.get(60) == 2


def test_a_change_during_a_computation_makes_its_value_too_old():
    slow = Slow()
    shared = Shared(slow)
    threads, _ = ask(shared, 1)
    until(lambda: slow.number == 1)
    local_changes.note()
    slow.may_end.set()
    for thread in threads:
        thread.join()
    assert shared.get(60) == 2


def test_an_error_is_raised_and_not_kept():
    errors = [ValueError("first")]

    def compute():
        if errors:
            raise errors.pop()
        return "value"

    shared = Shared(compute)
    with pytest.raises(ValueError, match="first"):
        shared.get(60)
    assert shared.peek(60) is None
    assert shared.get(60) == "value"
