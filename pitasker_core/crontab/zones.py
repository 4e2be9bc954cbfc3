"""Time zones of schedules: places in words, times of another zone, and cronie's CRON_TZ."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from pitasker_core.crontab.calendar import Clock, EntryClock
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.phrases.fields import schedule_of
from pitasker_core.crontab.phrases.hours import group_times
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES
from pitasker_core.crontab.schedule import Dialect, Meaning, Schedule, meaning

_AREAS = (
    "Europe",
    "America/Argentina",
    "America",
    "Asia",
    "Africa",
    "Australia",
    "Pacific",
    "Atlantic",
    "Indian",
    "Antarctica",
)
_ZONES = {
    "America/Chicago": "dallas|houston|austin|central",
    "America/Denver": "mountain",
    "America/Los_Angeles": "san francisco|seattle|california|san diego|pst|pdt|pacific",
    "America/New_York": "washington|boston|miami|atlanta|est|edt|eastern",
    "America/Sao_Paulo": "rio|rio de janeiro|brasilia",
    "America/Toronto": "montreal|ottawa",
    "Africa/Johannesburg": "cape town|pretoria",
    "Asia/Kolkata": "delhi|new delhi|mumbai|bangalore|bengaluru|chennai|india",
    "Asia/Shanghai": "beijing|shenzhen|china",
    "Asia/Tokyo": "japan|osaka|kyoto|jst",
    "Asia/Jerusalem": "tel aviv",
    "Australia/Sydney": "canberra",
    "Europe/Berlin": "germany|munich|frankfurt|hamburg|cologne|stuttgart|leipzig|cet|cest",
    "Europe/London": "uk|england|britain|manchester|edinburgh|bst",
    "Europe/Madrid": "spain|barcelona",
    "Europe/Paris": "france|lyon",
    "Europe/Rome": "italy|milan",
    "Europe/Zurich": "switzerland|geneva|basel|bern",
    "UTC": "utc|gmt|zulu|z",
}
_PLACES = {place: key for key, places in _ZONES.items() for place in places.split("|")}
_DAY = 1440
_LONGEST = 40


@lru_cache(maxsize=256)
def find_zone(place: str) -> ZoneInfo | None:
    """The zone of a place as people write it: "Tokyo", "new york", "Europe/Berlin", "utc"."""
    place = " ".join(place.lower().replace("_", " ").split())
    if not place or len(place) > _LONGEST:
        return None
    if place in _PLACES:
        return ZoneInfo(_PLACES[place])
    name = "/".join(
        "_".join(word.capitalize() for word in part.split()) for part in place.split("/")
    )
    names = [name] if "/" in name else [f"{area}/{name}" for area in _AREAS]
    for key in names:
        try:
            return ZoneInfo(key)
        except (KeyError, ValueError, OSError):  # a folder of zones is an OSError
            continue
    return None


@dataclass(frozen=True)
class Translation:
    """A schedule of another zone, in that of the machine."""

    schedules: tuple[str, ...]
    """Several where some times fall on another day; empty where no schedule says it."""
    caveats: tuple[str, ...] = ()
    """When it is no longer right, because a clock changes."""
    reason: str = ""


def translate(schedule: Schedule, source: tzinfo, target: tzinfo, now: datetime) -> Translation:
    """The schedule by the clock of `target` that runs when `schedule` would by that of `source`.

    It is right for the offsets at `now`; the caveats name the days on which they change.
    """
    difference = _difference(source, target, now)
    if schedule.reboot or schedule.never_runs:
        return Translation((schedule.text,))
    parts = meaning(schedule)
    shifts: dict[int, list[int]] = {}
    for hour in parts.hours:
        for minute in parts.minutes:
            shift, time = divmod(hour * 60 + minute + difference, _DAY)
            shifts.setdefault(shift, []).append(time)
    if _is_every_day(parts):
        shifts = {0: [time for times in shifts.values() for time in times]}
    try:
        texts = [
            text
            for shift, times in sorted(shifts.items())
            for text in _schedules(parts, shift, times)
        ]
    except ValueError as problem:
        return Translation((), (), str(problem))
    if difference == 0 and len(texts) == 1:
        texts = [schedule.text]
    return Translation(tuple(texts), _caveats(parts, source, target, now))


def _difference(source: tzinfo, target: tzinfo, moment: datetime) -> int:
    """How many minutes the clock of `target` is ahead of that of `source`."""
    offsets = [moment.astimezone(zone).utcoffset() or timedelta(0) for zone in (target, source)]
    return (offsets[0] - offsets[1]) // timedelta(minutes=1)


def _is_every_day(parts: Meaning) -> bool:
    return len(parts.days) == 31 and len(parts.months) == 12 and len(parts.weekdays) == 7


def _schedules(parts: Meaning, shift: int, times: list[int]) -> list[str]:
    """The schedules of these times, on the days that are `shift` days later."""
    days = set(parts.days) if len(parts.days) < 31 else None
    months = set(parts.months) if len(parts.months) < 12 else None
    weekdays = set(parts.weekdays) if len(parts.weekdays) < 7 else None
    if shift and (days or months):
        if days is None or min(days) + min(shift, 0) < 1 or max(days) + max(shift, 0) > 28:
            raise ValueError(
                "By the clock of this machine these are days of another month, which cron cannot "
                "say in general."
            )
        days = {day + shift for day in days}
    if shift and weekdays:
        weekdays = {(day + shift) % 7 for day in weekdays}
    both = bool(parts.both_must_match)
    return [
        schedule_of(group.minutes, group.hours, days, months, weekdays, both)
        for group in group_times(times)
    ]


def _caveats(parts: Meaning, source: tzinfo, target: tzinfo, now: datetime) -> tuple[str, ...]:
    change = _next_change(source, target, now)
    if change is None:
        return ()
    day, later = change
    if _is_every_day(parts) and len(parts.hours) == 24 and later % 60 == 0:
        return ()
    time = parts.hours[0] * 60 + parts.minutes[0]
    shown = [f"{t // 60:02}:{t % 60:02}" for t in (time, (time + later) % _DAY)]
    date = f"{day.day} {MONTH_NAMES[day.month - 1]} {day.year}"
    return (
        f"From {date} on the clocks differ by another amount: {shown[0]} becomes {shown[1]} there. "
        "Change the schedule then.",
    )


def _next_change(source: tzinfo, target: tzinfo, now: datetime) -> tuple[datetime, int] | None:
    """The day within a year from which on the two clocks differ by another amount, and by how much
    a time that is fixed in `target` is then later in `source`, in minutes."""
    moment = now.astimezone(UTC)
    before = _difference(source, target, moment)
    for week in range(1, 54):
        end = moment + timedelta(days=7 * week)
        if _difference(source, target, end) != before:
            while _difference(source, target, end - timedelta(days=1)) != before:
                end -= timedelta(days=1)
            return end.astimezone(target), before - _difference(source, target, end)
    return None


def own_zone(settings: Mapping[str, str], dialect: Dialect) -> ZoneInfo | None:
    """The zone that CRON_TZ gives to an entry; it counts for cronie only.

    cronie goes by UTC for a zone that it does not know.
    """
    name = settings.get("CRON_TZ") if dialect.is_cronie else None
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def cron_clock(settings: Mapping[str, str], dialect: Dialect, machine: ZoneInfo) -> Clock:
    """The clock by which cron reads an entry below these settings."""
    own = own_zone(settings, dialect)
    return EntryClock(own, machine) if own else machine


def entry_clock(document: Document, index: int | None, machine: ZoneInfo) -> Clock:
    """The clock by which cron reads the entry of a crontab at an index (None: at the end)."""
    if not document.dialect.is_cronie:
        return machine
    return cron_clock(document.environment(index), document.dialect, machine)


def beside(run: datetime, other: tzinfo | None) -> datetime | None:
    """The time of a run by another clock, such as the browser's; None where it shows the same."""
    if other is None:
        return None
    there = run.astimezone(other)
    return None if there.utcoffset() == run.utcoffset() else there
