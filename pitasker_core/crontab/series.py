"""Ascending numbers, such as the values of a field: their distance and their runs. Pure."""

import itertools
from collections.abc import Iterable


def distance(values: Iterable[int]) -> int:
    """Return the distance between all neighbours; 0 if it differs."""
    steps = {later - earlier for earlier, later in itertools.pairwise(values)}
    return steps.pop() if len(steps) == 1 else 0


def spans(values: Iterable[int]) -> list[tuple[int, int]]:
    """Return the ends of each run of three or more numbers, and other numbers as both ends."""
    result: list[tuple[int, int]] = []
    # In a run, each number is as far ahead of its place.
    for _, pairs in itertools.groupby(enumerate(values), lambda pair: pair[1] - pair[0]):
        run = [value for _, value in pairs]
        result += [(run[0], run[-1])] if len(run) > 2 else [(value, value) for value in run]
    return result
