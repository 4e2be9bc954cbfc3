"""The times of day of an outline: the minutes and hours that its clauses select."""

from collections.abc import Iterable
from dataclasses import dataclass

from pitasker_core.crontab.phrases.outline import Clock, Outline, Refused, Window
from pitasker_core.crontab.phrases.times import half_by_part

_HOUR, _DAY = 60, 1440
_EVERY_HOUR = tuple(range(24))
_PARTS = {
    "morning": ("06:00", "08:00"),
    "afternoon": ("14:00", "16:00"),
    "evening": ("18:00", "20:00"),
    "night": ("00:00", "23:00"),
}


@dataclass(frozen=True)
class Group:
    """Minutes, in each of these hours: what one schedule can say."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]


@dataclass(frozen=True)
class Times:
    """The times of day, as few groups as possible; several need several schedules."""

    groups: tuple[Group, ...]
    nearest: Group | None = None
    """What comes nearest, where cron cannot say the times exactly."""
    reason: str = ""
    test: str = ""
    way: str = ""
    """How people do it, if not by a test in the command."""


def times_of(outline: Outline) -> Times | None:
    """The times of an outline; None if it names none. Raises Refused."""
    if outline.second_step is not None:
        return _seconds(outline.second_step)
    _check(outline)
    if outline.rate and outline.rate[1] == "hour":
        outline.minute_step = _minutes_apart(outline.rate[0])
    if outline.minute_step is not None:
        return _every_minutes(outline, int(outline.minute_step))
    if outline.hour_step is not None:
        return _every_hours(outline, int(outline.hour_step))
    if outline.rate and outline.rate[1] == "day" and not outline.times:
        return _spread(outline, outline.rate[0])
    return _plain_times(outline)


def _plain_times(outline: Outline) -> Times | None:
    if outline.start and not outline.times:
        outline.times = [outline.start]
    if outline.times:
        return Times(group_times(map(_minute_of_day, _clear(outline, outline.times))))
    minutes = tuple(sorted(set(outline.minutes)))
    if outline.hours:
        return Times((Group(minutes or (0,), tuple(sorted(set(outline.hours)))),))
    if outline.windows:
        outline.note("How often was not said: once an hour.")
        return _every_hours(outline, 1)
    if minutes:
        return Times((Group(minutes, _EVERY_HOUR),))
    return _part_of_day(outline)


def _check(outline: Outline) -> None:
    """Refuse what names its times in two ways, of which only one could count."""
    times, hours, windows = map(bool, (outline.times, outline.hours, outline.windows))
    step = outline.minute_step or outline.hour_step
    rate = outline.rate if outline.rate and outline.rate[1] in ("hour", "day") else None
    if outline.minute_step is not None:
        is_even = _HOUR % int(outline.minute_step) == 0
        clashes = times or len(outline.minutes) > 1 or (hours and not is_even)
    elif outline.hour_step is not None:
        clashes = hours and outline.hour_step != 1
    elif rate:
        clashes = hours or (times and len(outline.times) != rate[0])
    else:
        clashes = times and (hours or windows or bool(outline.minutes) or bool(outline.start))
    if clashes or (hours and windows) or (step and rate):
        raise Refused("The text names the time in two ways.")
    if outline.part and step and not windows:
        raise Refused(f"From when to when is the {outline.part}? Say it by times.")


def _part_of_day(outline: Outline) -> Times | None:
    if outline.part is None:
        return None
    options = _PARTS[outline.part]
    time = options[outline.choose(*(f"at {option}" for option in options))]
    outline.note(f"Which time of the {outline.part} was not said.")
    hour, minute = map(int, time.split(":"))
    return Times((Group((minute,), (hour,)),))


def _clear(outline: Outline, clocks: list[Clock]) -> list[Clock]:
    """The times by the 24-hour clock."""
    return [_in_24_hours(clock, half) for clock, half in _halves(outline, clocks)]


def _halves(outline: Outline, clocks: list[Clock]) -> Iterable[tuple[Clock, str | None]]:
    """Each time with its half of the day: "6 and 9pm" are both in the afternoon."""
    halves = [half for _, _, half in clocks]
    later: str | None = None
    for at in reversed(range(len(clocks))):
        half = halves[at]
        if half in ("am", "pm"):
            later = half
        elif half is None and later and at + 1 < len(clocks) and clocks[at][0] < clocks[at + 1][0]:
            halves[at] = later
            outline.note(f"{clocks[at][0]} is taken as {clocks[at][0]} {later}.")
    return [
        (clock, half or half_by_part(clock[0], outline.part))
        for clock, half in zip(clocks, halves, strict=True)
    ]


def _in_24_hours(clock: Clock, half: str | None) -> Clock:
    hour, minute, _ = clock
    if half in ("am", "pm"):
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour, minute, "24"


def _minute_of_day(clock: Clock) -> int:
    return clock[0] * _HOUR + clock[1]


def group_times(instants: Iterable[int]) -> tuple[Group, ...]:
    """Minutes of the day as groups: the hours that have the same minutes belong together."""
    by_hour: dict[int, set[int]] = {}
    for instant in instants:
        by_hour.setdefault(instant // _HOUR % 24, set()).add(instant % _HOUR)
    by_minutes: dict[tuple[int, ...], list[int]] = {}
    for hour, minutes in by_hour.items():
        by_minutes.setdefault(tuple(sorted(minutes)), []).append(hour)
    return tuple(Group(minutes, tuple(sorted(hours))) for minutes, hours in by_minutes.items())


def _bounds(outline: Outline, window: Window) -> tuple[int, int]:
    """Start and end of a window in minutes of the day, the end behind the start if it wraps."""
    part = outline.part
    start, end = (
        (hour, minute, half or half_by_part(hour, part))
        for hour, minute, half in (window.start, window.end)
    )
    if start[2] is None and end[2] in ("am", "pm") and start[0] < end[0] % 12:
        start = (start[0], start[1], end[2])
    is_open = start[2] is None and end[2] is None and 12 >= start[0] > end[0] > 0
    if is_open:
        day = f"{start[0]:02}:{start[1]:02} to {end[0] + 12:02}:{end[1]:02}"
        night = f"{start[0]:02}:{start[1]:02} to {end[0]:02}:{end[1]:02} of the next day"
        if outline.choose(day, night) == 0:
            end = (end[0], end[1], "pm")
    first = _minute_of_day(_in_24_hours(start, start[2]))
    last = _minute_of_day(_in_24_hours(end, end[2]))
    return first, last if last > first else last + _DAY


def _apply_start(outline: Outline, step: int) -> Clock:
    """The first time of an interval, in 24 hours; a later one begins a window until midnight."""
    if outline.start is None or outline.windows:
        return 0, 0, "24"
    start = _in_24_hours(outline.start, outline.start[2])
    if _minute_of_day(start) >= step:
        shown = f"{start[0]:02}:{start[1]:02}"
        if outline.choose(f"from {shown} to midnight", "all day") == 0:
            outline.windows.append(Window(start, (23, 59, "24")))
    return start


def _every_minutes(outline: Outline, count: int) -> Times:
    if not 0 < count < _DAY:
        raise Refused(f"{count} minutes are no interval for cron.")
    start = _apply_start(outline, count)
    if outline.hour_step not in (None, 1) and not outline.hours:
        outline.hours = list(range(0, 24, int(outline.hour_step or 1)))
    if outline.windows:
        return _in_windows(outline, count)
    if _HOUR % count:
        return _uneven_minutes(count)
    offset = (outline.minutes[0] if outline.minutes else start[1]) % count
    minutes = tuple(range(offset, _HOUR, count))
    return Times((Group(minutes, tuple(sorted(set(outline.hours))) or _EVERY_HOUR),))


def _in_windows(outline: Outline, count: int) -> Times:
    instants: list[int] = []
    without_end: list[int] = []
    through: list[int] = []
    for window in outline.windows:
        first, last = _bounds(outline, window)
        instants += range(first, last + 1, count)
        without_end += range(first, last, count)
        through += range(first, last - last % _HOUR + _HOUR, count)
    groups = group_times(instants)
    if len(groups) == 1 or len(outline.windows) > 1:
        return Times(groups)
    # "Between 9 and 17" may or may not take in what follows 17:00; with 17:00 alone cron would
    # need a second schedule.
    shorter, longer = group_times(without_end), group_times(through)
    if len(shorter) != 1 or len(longer) != 1:
        return Times(groups)
    ends = [f"the last run is at {_clock(max(part))}" for part in (without_end, through)]
    chosen = outline.choose(*ends)
    return Times((shorter, longer)[chosen])


def _clock(instant: int) -> str:
    return f"{instant // _HOUR % 24:02}:{instant % _HOUR:02}"


def _uneven_minutes(count: int) -> Times:
    """An interval that does not divide the hour, as 45 minutes."""
    if count < _HOUR:
        step = max(n for n in range(1, count + 1) if _HOUR % n == 0)
        nearest = Group(tuple(range(0, _HOUR, step)), _EVERY_HOUR)
        reason = f"{count} minutes do not divide the hour, and cron counts each hour from 0."
    else:
        step = max(n for n in range(1, count // _HOUR + 1) if 24 % n == 0)
        nearest = Group((0,), tuple(range(0, 24, step)))
        reason = f"cron has no interval of {count} minutes: it counts minutes and hours separately."
    exact = () if _DAY % count else group_times(range(0, _DAY, count))
    return Times(
        exact, nearest, reason, f"[ $(( $(date +\\%s) / 60 \\% {count} )) -eq 0 ] || exit 0; "
    )


def _every_hours(outline: Outline, step: int) -> Times:
    bare = [hour for hour, minute, half in outline.times if half is None and minute == 0]
    if outline.times and len(bare) == len(outline.times) and not outline.minutes:
        outline.minutes = bare
        outline.note("The number behind “at” is taken as minutes past the hour.")
    elif outline.times:
        if outline.start or len(outline.times) > 1 or outline.windows:
            raise Refused("The text names the time in two ways.")
        outline.start = outline.times[0]
    start = _apply_start(outline, step * _HOUR)
    if outline.windows:
        return _hours_in_windows(outline, step)
    if outline.hours:
        return Times((Group(tuple(outline.minutes) or (0,), tuple(sorted(set(outline.hours)))),))
    minutes = tuple(sorted(set(outline.minutes))) or (start[1],)
    if 24 % step:
        return Times(
            (),
            Group(minutes, tuple(range(0, 24, step))),
            f"{step} hours do not divide the day, and cron counts each day anew.",
            f"[ $(( $(date +\\%s) / 3600 \\% {step} )) -eq 0 ] || exit 0; ",
        )
    return Times((Group(minutes, tuple(range(start[0] % step, 24, step))),))


def _hours_in_windows(outline: Outline, step: int) -> Times:
    instants: list[int] = []
    for window in outline.windows:
        first, last = _bounds(outline, window)
        if outline.minutes and first % _HOUR == 0:
            # "From 8 to 18 at minute 15": the hours count, so 18:15 belongs to it.
            last += max(outline.minutes) if last % _HOUR == 0 else 0
            starts = [first + minute for minute in sorted(set(outline.minutes))]
        else:
            starts = [first]
        for start in starts:
            instants += range(start, last + 1, step * _HOUR)
    return Times(group_times(instants))


def _minutes_apart(count: int) -> int:
    """The interval of so many times an hour."""
    if _HOUR % count:
        raise Refused(f"{count} times do not divide the hour into whole minutes.")
    return _HOUR // count


def _spread(outline: Outline, count: int) -> Times:
    """So many times a day, evenly."""
    if outline.windows:
        first, last = _bounds(outline, outline.windows[0])
        hours_apart = (last - first) / max(count - 1, 1) / _HOUR
        instants = [first + round(hours_apart * at) * _HOUR for at in range(min(count, _DAY))]
        return Times(group_times(instants))
    if count > 24:
        if _DAY % count or _HOUR % (_DAY // count):
            raise Refused(f"{count} times do not divide the day into whole minutes.")
        return Times((Group(tuple(range(0, _HOUR, _DAY // count)), _EVERY_HOUR),))
    outline.note("The times were not said: they are spread over the day.")
    return Times((Group((0,), tuple(sorted({round(24 / count * at) for at in range(count)}))),))


def _seconds(step: float) -> Times:
    """cron starts jobs once a minute at most."""
    way = f"Run a loop in the command: while sleep {step:g}; do command; done, started by @reboot."
    if step < _HOUR and _HOUR % step == 0:
        count = int(_HOUR / step)
        times = " ".join(map(str, range(1, count + 1))) if count < 7 else f"$(seq {count})"
        way = (
            "Run a loop of one minute in the command: "
            f"for i in {times}; do command; sleep {step:g}; done"
        )
    return Times(
        (),
        Group(tuple(range(60)), _EVERY_HOUR),
        "cron starts jobs at whole minutes, never more often.",
        way=f"{way}. A systemd timer or a service can also do it.",
    )
