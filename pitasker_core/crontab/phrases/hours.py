"""The times of day of an outline: the minutes and hours that its clauses select."""

from collections.abc import Iterable
from dataclasses import dataclass

from pitasker_core.crontab.phrases.outline import Clock, Outline, Refused, Window
from pitasker_core.crontab.phrases.reading import Kind, Offer, Reading
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


def times_of(outline: Outline) -> Times | None:
    """The times of an outline; None if it names none. Raises Refused."""
    if outline.second_step is not None:
        raise Refused(_seconds(outline.second_step))
    _check(outline)
    if outline.minute_step is not None and outline.hour_step not in (None, 1):
        outline.hours = list(range(0, 24, int(outline.hour_step or 1)))
    if outline.minute_step is not None:
        return _every_minutes(outline, outline.minute_step)
    if outline.hour_step is not None:
        return _every_hours(outline, int(outline.hour_step))
    if outline.rate and outline.rate[1] in ("hour", "day") and not outline.times:
        return _spread(outline, *outline.rate)
    if outline.times:
        return Times(group_times(map(_minute_of_day, _clear(outline, outline.times))))
    if outline.hours:
        minutes = tuple(sorted(set(outline.minutes))) or (0,)
        return Times((Group(minutes, tuple(sorted(set(outline.hours)))),))
    if outline.windows:
        outline.note("How often was not said: once an hour.")
        return _every_hours(outline, 1)
    if outline.minutes:
        return Times((Group(tuple(sorted(set(outline.minutes))), _EVERY_HOUR),))
    return _part_of_day(outline)


def _check(outline: Outline) -> None:
    """Refuse what names its times in two ways, of which only one could count."""
    fixed = bool(outline.times)
    if outline.minute_step is not None:
        clashes = fixed or outline.rate is not None
    elif outline.rate and outline.rate[1] in ("hour", "day"):
        clashes = outline.hour_step is not None or (fixed and len(outline.times) != outline.rate[0])
    else:
        clashes = fixed and bool(outline.hours or outline.windows)
    if clashes or (fixed and outline.minutes):
        raise Refused(Reading(Kind.UNKNOWN, reason="The text names the time in two ways."))


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


def _bounds(outline: Outline, window: Window) -> tuple[int, int, str | None]:
    """Start and end of a window in minutes of the day, the end behind the start if it wraps."""
    half = window.end[2]
    start, end = window.start, window.end
    if start[2] is None and half in ("am", "pm") and start[0] < end[0] % 12:
        start = (start[0], start[1], half)
    is_open = start[2] is None and end[2] is None and 12 >= start[0] > end[0] > 0
    if is_open:
        names = f"{start[0]:02}:{start[1]:02} to {end[0] + 12:02}:{end[1]:02}"
        night = f"{start[0]:02}:{start[1]:02} to {end[0]:02}:{end[1]:02} of the next day"
        if outline.choose(names, night) == 0:
            end = (end[0], end[1], "pm")
    first = _minute_of_day(_in_24_hours(start, start[2]))
    last = _minute_of_day(_in_24_hours(end, end[2]))
    return first, last if last > first else last + _DAY, end[2]


def _every_minutes(outline: Outline, step: float) -> Times:
    if step % 1 or not 0 < step < _DAY:
        raise Refused(Reading(Kind.UNKNOWN, reason=f"{step:g} minutes are no interval for cron."))
    count = int(step)
    if _HOUR % count:
        return _uneven_minutes(outline, count)
    if outline.windows:
        return _in_windows(outline, count)
    offset = outline.minutes[0] % count if len(outline.minutes) == 1 else 0
    if outline.start:
        offset = outline.start[1] % count
    minutes = tuple(range(offset, _HOUR, count))
    return Times((Group(minutes, tuple(sorted(set(outline.hours))) or _EVERY_HOUR),))


def _in_windows(outline: Outline, count: int) -> Times:
    instants: list[int] = []
    without_end: list[int] = []
    through: list[int] = []
    for window in outline.windows:
        first, last, _ = _bounds(outline, window)
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


def _uneven_minutes(outline: Outline, count: int) -> Times:
    """An interval that does not divide the hour, as 45 minutes."""
    if count < _HOUR:
        step = max(n for n in range(1, count + 1) if _HOUR % n == 0)
        nearest = Group(tuple(range(0, _HOUR, step)), _EVERY_HOUR)
        reason = f"{count} minutes do not divide the hour, and cron counts each hour from 0."
    else:
        step = max(n for n in range(1, count // _HOUR + 1) if 24 % n == 0)
        nearest = Group((0,), tuple(range(0, 24, step)))
        reason = f"cron has no interval of {count} minutes: it counts minutes and hours separately."
    exact = () if _DAY % count or outline.windows else group_times(range(0, _DAY, count))
    return Times(
        exact, nearest, reason, f"[ $(( $(date +\\%s) / 60 \\% {count} )) -eq 0 ] || exit 0; "
    )


def _every_hours(outline: Outline, step: int) -> Times:
    bare = [hour for hour, minute, half in outline.times if half is None and minute == 0]
    if outline.times and len(bare) == len(outline.times) and not outline.minutes:
        outline.minutes = bare
        outline.note("The number behind “at” is taken as minutes past the hour.")
    elif outline.times and outline.start is None:
        outline.start = outline.times[0]
    if outline.windows:
        return _hours_in_windows(outline, step)
    if outline.hours:
        return Times((Group(tuple(outline.minutes) or (0,), tuple(sorted(set(outline.hours)))),))
    start = _in_24_hours(outline.start, outline.start[2]) if outline.start else (0, 0, "24")
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
        first, last, _ = _bounds(outline, window)
        if outline.minutes and first % _HOUR == 0:
            # "From 8 to 18 at minute 15": the hours count, so 18:15 belongs to it.
            last += max(outline.minutes) if last % _HOUR == 0 else 0
            starts = [first + minute for minute in sorted(set(outline.minutes))]
        else:
            starts = [first]
        for start in starts:
            instants += range(start, last + 1, step * _HOUR)
    return Times(group_times(instants))


def _spread(outline: Outline, count: int, unit: str) -> Times:
    """So many times an hour or a day, evenly."""
    if unit == "hour":
        if count > _HOUR or _HOUR % count:
            raise Refused(_cannot_spread(count, "hour"))
        return Times((Group(tuple(range(0, _HOUR, _HOUR // count)), _EVERY_HOUR),))
    if outline.windows and count > 1:
        first, last, _ = _bounds(outline, outline.windows[0])
        instants = [
            first + round((last - first) / (count - 1) / 60 * at) * 60 for at in range(count)
        ]
        return Times(group_times(instants))
    if count > 24:
        if _DAY % count or _HOUR % (_DAY // count):
            raise Refused(_cannot_spread(count, "day"))
        return Times((Group(tuple(range(0, _HOUR, _DAY // count)), _EVERY_HOUR),))
    outline.note("The times were not said: they are spread over the day.")
    return Times((Group((0,), tuple(sorted({round(24 / count * at) for at in range(count)}))),))


def _cannot_spread(count: int, unit: str) -> Reading:
    return Reading(
        Kind.UNKNOWN, reason=f"{count} times do not divide the {unit} into whole minutes."
    )


def _seconds(step: float) -> Reading:
    """cron starts jobs once a minute at most."""
    offers = (Offer("* * * * *", "every minute"),)
    way = f"Run a loop in the command: while sleep {step:g}; do command; done, started by @reboot."
    if 0 < step < 60 and 60 % step == 0:
        times = " ".join(str(number) for number in range(1, int(60 / step) + 1))
        shown = times if step >= 10 else f"$(seq {int(60 / step)})"
        way = (
            "Run a loop of one minute in the command: "
            f"for i in {shown}; do command; sleep {step:g}; done"
        )
    return Reading(
        Kind.NEAREST,
        offers,
        "cron starts jobs at whole minutes, never more often.",
        f"{way}. A systemd timer or a service can also do it.",
    )
