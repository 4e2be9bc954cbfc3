"""The rules of notifications: how often, at which hours, single or as a digest, and their text."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import update

from pitasker_core import database
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.database import settings
from pitasker_core.database.events import EventKind
from pitasker_core.database.tables import NoticeRow
from pitasker_core.notifications import wording

LONGEST_TITLE, LONGEST_BODY = 200, 5_000
MOST_REPEAT_MINUTES = 10_080

_KEY = "notifications"


@dataclass(frozen=True)
class Rules:
    """The rules of this crontab. Times are `HH:MM` in the machine's time zone, or empty."""

    repeat_minutes: int = 60
    """At most one notice for each kind and task in this time. 0 means no limit."""
    quiet_from: str = ""
    quiet_until: str = ""
    """Nothing is sent between these times. Notices wait until the end."""
    digest_at: str = ""
    """When all notices since the previous day are sent in one message. Empty: each at once."""
    title: str = wording.TITLE
    body: str = wording.BODY

    def quiet_ends(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """The end of the current quiet hours; None outside of them."""
        if not self.quiet_from:
            return None
        begins, ends = _time(self.quiet_from), _time(self.quiet_until)
        at = now.astimezone(zone).time()
        is_quiet = begins <= at < ends if begins < ends else at >= begins or at < ends
        return _next(ends, now, zone) if is_quiet else None

    def next_digest(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """When a notice of this time is due; None without a digest."""
        return _next(_time(self.digest_at), after, zone) if self.digest_at else None


def read(environment: Environment) -> Rules:
    """The current rules."""
    return settings.read(environment, _KEY, Rules)


def change(environment: Environment, actor: Actor, shown: Rules | None = None, **new: Any) -> Rules:
    """Change some rules. Pending notices follow the new rules at once.

    Raises InvalidSyntax, and Stale if somebody changed one of them after it was `shown`.
    """
    before = read(environment)
    after = settings.apply(before, shown, new)
    check(after)
    if after != before:
        with database.session(environment) as session:
            settings.save(session, _KEY, actor, EventKind.NOTIFICATIONS_CHANGED, before, after)
            session.execute(
                update(NoticeRow).where(NoticeRow.sent_at.is_(None)).values(next_try=None)
            )
    return after


def check(rules: Rules) -> None:
    """Raise InvalidSyntax unless the rules are valid."""
    if not 0 <= rules.repeat_minutes <= MOST_REPEAT_MINUTES:
        raise InvalidSyntax(f"The repeat limit must be 0 to {MOST_REPEAT_MINUTES} minutes.")
    for text in (rules.quiet_from, rules.quiet_until, rules.digest_at):
        if text:
            _time(text)
    if bool(rules.quiet_from) != bool(rules.quiet_until):
        raise InvalidSyntax("Quiet hours need both a beginning and an end.")
    if rules.quiet_from and rules.quiet_from == rules.quiet_until:
        raise InvalidSyntax(
            "Quiet hours must not begin and end at the same time.",
            "To get no notices at all, switch the channels off.",
        )
    if rules.digest_at:
        any_zone = ZoneInfo("UTC")
        at = datetime.combine(
            datetime(2000, 1, 1, tzinfo=any_zone), _time(rules.digest_at), any_zone
        )
        if rules.quiet_ends(at, any_zone):
            raise InvalidSyntax(
                "The digest's time is in the quiet hours.", "Choose a time outside of them."
            )
    if len(rules.title) > LONGEST_TITLE or len(rules.body) > LONGEST_BODY:
        raise InvalidSyntax(
            f"The title has at most {LONGEST_TITLE} characters, the body {LONGEST_BODY:,}."
        )
    wording.check(rules.title)
    wording.check(rules.body)
    if not rules.title.strip() or "\n" in rules.title:
        raise InvalidSyntax("The title must be one line, and not empty.")


def _time(text: str) -> time:
    try:
        return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of any day
    except ValueError:
        raise InvalidSyntax(f"“{text}” is not a time of day.", "Write it as 07:30.") from None


def _next(at: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The next moment at which a zone's clock shows a time."""
    day = after.astimezone(zone).date()
    moment = datetime.combine(day, at, zone)
    return moment if moment > after else datetime.combine(day + timedelta(days=1), at, zone)
