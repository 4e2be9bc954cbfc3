"""How the entries of one crontab go together: duplicates, and minutes in which many start. Pure."""

import re
from collections import Counter
from collections.abc import Sequence, Set
from itertools import chain

from pitasker_core.crontab.doctor.subject import Neighbours
from pitasker_core.crontab.document import Entry
from pitasker_core.crontab.schedule import Schedule

_REDIRECTION = re.compile(r"\s*(?:[0-9]?>&[0-9]|&?[0-9]?>{1,2}\s*[^\s>&|;]+)")
_FEW = 24
"""Starts on a day up to which a job counts as one of fixed times."""
_COMPARED = 8
"""Entries with the same command that are compared with one another."""
_DAY = 1440


def compare(
    entries: Sequence[tuple[int, Entry, bool]], only: int | None = None
) -> dict[int, Neighbours]:
    """The neighbours of each entry by its index, or of the entry at one index only.

    An entry comes with its index, and with whether cron refuses the line below it.
    """
    starts = [_starts(entry.meaning) for _, entry, _ in entries]
    crowds = Counter(chain.from_iterable(starts))
    taken = {start % _DAY for start in crowds}
    exact: dict[tuple[str, str], int] = {}
    commands: dict[str, list[tuple[int, Entry]]] = {}
    result = {}
    for (index, entry, next_is_invalid), own in zip(entries, starts, strict=True):
        same = exact.setdefault((" ".join(entry.schedule.split()), entry.command), index)
        earlier = commands.setdefault(_plain(entry.command), [])
        twins = tuple(earlier)
        if len(earlier) < _COMPARED:
            earlier.append((index, entry))
        if only not in (None, index):
            continue
        similar = next((at for at, twin in twins if _overlap(twin.meaning, entry.meaning)), None)
        crowd, busiest = _busiest(own, crowds)
        result[index] = Neighbours(
            None if same == index else same + 1,
            None if similar is None else similar + 1,
            crowd,
            busiest,
            _free_minute(busiest, taken, index),
            next_is_invalid,
        )
    return result


def _plain(command: str) -> str:
    """A command without redirections and with single blanks."""
    return " ".join((_REDIRECTION.sub("", command) if ">" in command else command).split())


def _overlap(first: Schedule, second: Schedule) -> bool:
    """Whether two schedules have a minute in common."""
    if first.reboot or second.reboot:
        return first.reboot and second.reboot
    if first.never_runs or second.never_runs:
        return False
    times = ("minutes", "hours", "months", "days", "weekdays")
    return all(set(getattr(first, name)) & set(getattr(second, name)) for name in times)


def _starts(schedule: Schedule) -> list[int]:
    """The minutes of the week in which a job with few, fixed times starts; `@reboot` has none."""
    if len(schedule.minutes) * len(schedule.hours) > _FEW or schedule.never_runs:
        return []
    if len(schedule.days) < 31 or len(schedule.months) < 12:
        return []  # it meets the others on few days
    times = [60 * hour + minute for hour in schedule.hours for minute in schedule.minutes]
    return [_DAY * day + time for day in schedule.weekdays for time in times]


def _busiest(starts: Sequence[int], crowds: Counter[int]) -> tuple[int, int]:
    """How many entries start in the busiest of these minutes, and that minute of the day."""
    if not starts:
        return 1, 0
    busiest = max(starts, key=crowds.__getitem__)
    return crowds[busiest], busiest % _DAY


def _free_minute(busiest: int, taken: Set[int], index: int) -> int | None:
    """A minute of the same hour in which nothing starts; entries are offered different ones.

    `taken` are the minutes of the day in which an entry starts, on any day.
    """
    hour = busiest // 60 * 60
    for step in range(60):
        minute = (7 * index + 3 + step) % 60
        if hour + minute not in taken:
            return minute
    return None
