"""Ascending numbers, such as the values of a field: their distance and their runs. Pure."""

import itertools
from collections.abc import Iterable


def distance(values: Iterable[int]) -> int:
    """Return the distance between all neighbours; 0 if it differs."""
    steps = {later - earlier for earlier, later in itertools.pairwise(values)}
    return steps.pop() if len(steps) == 1 else 0


def split_runs(values: Iterable[int]) -> list[list[int]]:
    """Return the values as runs of consecutive numbers."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return runs
