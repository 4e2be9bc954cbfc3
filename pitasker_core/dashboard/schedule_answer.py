"""What the form says about a text typed as a schedule. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pitasker_core.base.clock import ago
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import Text
from pitasker_core.crontab.calendar import Clock, zone_of
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.crontab.understanding import Suggestion, Understanding, understand
from pitasker_core.crontab.zones import beside
from pitasker_core.dashboard.times import clock_text
from pitasker_core.tasks import check_schedule

_MOST_OFFERS = 5
_NEAREST = "the nearest"


@dataclass(frozen=True)
class Offer:
    """A schedule on a button, with what it means beside it."""

    schedule: str
    words: str
    command_test: str = ""
    """The button also puts this test before the command."""


@dataclass(frozen=True)
class Answer:
    """What a text means, and what a person can do with it."""

    problem: str = ""
    """Why the text cannot be saved as it is."""
    way: str = ""
    """How people do what cron cannot say."""
    is_words: bool = False
    """The problem is one of words: somebody may still be typing them."""
    description: str = ""
    runs: str = ""
    browser_runs: str = ""
    """The same runs by the clock of the browser, where it differs."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    together: tuple[str, ...] = ()
    """The schedules that say it only together, each for a separate task."""
    accepted: str | None = None
    """The schedule that Enter accepts."""


def answer(
    text: str,
    clock: Clock,
    now: datetime,
    dialect: Dialect = Dialect.DEBIAN,
    browser: ZoneInfo | None = None,
    *,
    is_new: bool = True,
) -> Answer:
    """What the form says about a text. `clock` is the one by which cron reads the entry.

    A schedule that a task has already may be one that is refused when it is new.
    """
    meant, zone = understand(text, clock, now, dialect), zone_of(clock)
    if meant.is_schedule:
        return _of_schedule(meant, _refusal(text, dialect) if is_new else "", zone, now, browser)
    return _of_words(meant, zone, now, browser)


def accepted(meant: Understanding) -> str | None:
    """What Enter accepts: the meaning of words, or the only correction of a slip.

    Of meanings that differ only in their hours, such as where "between 9 and 17" ends, it is the
    first.
    """
    if meant.is_schedule:
        return None
    if meant.schedule:
        return meant.only_meaning or _first_by_hours(meant)
    is_slip = not meant.usual_way and not meant.together and len(meant.suggestions) == 1
    return meant.suggestions[0].schedule if is_slip and not meant.suggestions[0].meaning else None


def _first_by_hours(meant: Understanding) -> str | None:
    fields = [item.schedule.split() for item in meant.suggestions if item.schedule[0] != "@"]
    others = {(minute, *days) for minute, _, *days in fields}
    return meant.schedule if len(others) == 1 else None


def _refusal(text: str, dialect: Dialect) -> str:
    try:
        check_schedule(text, dialect)
    except InvalidSyntax as problem:
        return problem.user_message
    return ""


def _of_schedule(
    meant: Understanding, refusal: str, zone: ZoneInfo, now: datetime, browser: ZoneInfo | None
) -> Answer:
    offers = tuple(Offer(item.schedule, item.description) for item in meant.suggestions)
    if refusal:
        return Answer(refusal, offers=offers)
    return Answer(
        description=meant.description,
        runs=runs_text(meant.runs, zone, now),
        browser_runs=browser_text(meant.runs, browser, now),
        warnings=meant.warnings,
        offers=offers,
    )


def _of_words(
    meant: Understanding, zone: ZoneInfo, now: datetime, browser: ZoneInfo | None
) -> Answer:
    is_clear = meant.schedule is not None and not meant.reason
    return Answer(
        meant.reason,
        meant.usual_way,
        is_words=meant.is_words,
        runs=runs_text(meant.runs, zone, now) if is_clear else "",
        browser_runs=browser_text(meant.runs, browser, now) if is_clear else "",
        warnings=meant.warnings,
        notes=meant.notes,
        offers=_offers(meant),
        accepted=accepted(meant),
        together=meant.together,
    )


def _offers(meant: Understanding) -> tuple[Offer, ...]:
    """The schedules in the order of their nearness; a test makes a nearest one exact."""
    offers: dict[tuple[str, str], Offer] = {}
    for item in meant.suggestions:
        if not item.command_test or not any(key[0] == item.schedule for key in offers):
            offers.setdefault((item.schedule, ""), Offer(item.schedule, _words(item)))
        if item.command_test:
            words = item.meaning if item.meaning != _NEAREST else "exactly"
            offer = Offer(item.schedule, words, item.command_test)
            offers[item.schedule, item.command_test] = offer
    if by_test := meant.by_test:
        test = by_test.command_test
        offers[by_test.schedule, test] = Offer(by_test.schedule, by_test.meaning, test)
    count = len(meant.together)
    for number, schedule in enumerate(meant.together, 1):
        offers[schedule, ""] = Offer(schedule, f"entry {number} of {count}")
    return tuple(offers.values())[:_MOST_OFFERS]


def _words(item: Suggestion) -> str:
    if item.command_test and item.meaning != _NEAREST:
        return f"{item.description}: {_NEAREST}"
    return f"{item.description}: {item.meaning}" if item.meaning else item.description


def runs_text(runs: Sequence[datetime], zone: ZoneInfo, now: datetime) -> str:
    """The next runs by the clock of a zone: "Next: Sat 02:00 · Sun 02:00 (UTC), the first …"."""
    if not runs:
        return ""
    times = " · ".join(clock_text(run, now, zone) for run in runs)
    return Text(f"Next: {times} ({zone.key}), the first {ago(runs[0], now)}")


def browser_text(runs: Sequence[datetime], browser: ZoneInfo | None, now: datetime) -> str:
    """The runs by the clock of the browser; "" where it shows the same times."""
    there = [beside(run, browser) for run in runs]
    if browser is None or not any(there):
        return ""
    times = " · ".join(clock_text(run, now, browser) for run in runs)
    return f"By the clock of your browser: {times} ({browser.key})"
