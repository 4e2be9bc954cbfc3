"""Check what makes a task run at another time, or another command, than expected. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pitasker_core.crontab.schedule import Dialect
from pitasker_core.runs.why.answer import Result, Verdict, bad, good, unknown
from pitasker_core.runs.why.facts import Checks, Facts


def _in_step(facts: Facts) -> Result | None:
    entry, task = facts.entry, facts.task
    if entry is None:
        return None
    if entry.schedule != task.schedule:
        differs = f"the schedule {entry.schedule}, and this task {task.schedule}"
    elif entry.command != task.command:
        differs = "another command than this task"
    elif entry.paused != task.paused:
        differs = "a pause, unlike this task" if entry.paused else "no pause, unlike this task"
    else:
        return good("The entry and the task are the same.")
    return bad(
        f"The entry has {differs}: cron follows the entry.",
        "Sync, or resolve it under Sync.",
        f"./pitasker sync {task.id}",
    )


def _allowed(facts: Facts) -> Result:
    """The two files restrict `crontab`. The daemon never reads them."""
    if facts.may_use_crontab is None:
        return unknown(
            "/etc/cron.allow or /etc/cron.deny cannot be read.",
            command="ls -l /etc/cron.allow /etc/cron.deny",
        )
    if facts.may_use_crontab:
        return good(f"/etc/cron.allow and /etc/cron.deny let {facts.user} use crontab.")
    return unknown(
        f"/etc/cron.allow or /etc/cron.deny keeps {facts.user} from changing the crontab; cron "
        "still runs the installed crontab.",
        "Changes are not written until the administrator allows it.",
        "grep -H . /etc/cron.allow /etc/cron.deny",
    )


def _zone(facts: Facts) -> Result:
    own = facts.zone.key or "the machine's zone"
    settings = facts.zone_settings
    if facts.dialect is Dialect.CRONIE and "CRON_TZ" in settings:
        zone = settings["CRON_TZ"]
        return good(f"Cron reads the schedule in {zone}, because of CRON_TZ.")
    checks = [_passed_on(facts, f"{variable}={zone}", zone) for variable, zone in settings.items()]
    for worst in (Verdict.BAD, Verdict.UNKNOWN):
        if problem := next((check for check in checks if check and check.verdict is worst), None):
            return problem
    return good(f"Cron reads the schedule in {own}, the machine's zone.")


def _passed_on(facts: Facts, setting: str, zone: str) -> Result | None:
    """A zone that only the command gets; None if it has the machine's time all year."""
    own = facts.zone.key or "the machine's zone"
    seen = f"Only the command sees {setting}: cron reads the schedule in {own}"
    advice = "This is right if it is meant for the command."
    try:
        other = ZoneInfo(zone.removeprefix(":"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return unknown(f"{seen}.", advice)
    now, later = facts.now, facts.now + timedelta(days=182)
    if _offset(now, other) != _offset(now, facts.zone):
        return bad(
            f"{seen}.",
            f"Write the schedule in {own}, or change the machine's zone. {advice}",
            "timedatectl",
        )
    if _offset(later, other) != _offset(later, facts.zone):
        return unknown(f"{seen}, which has the same time now, but not all year.", advice)
    return None


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _clock(facts: Facts) -> Result:
    now = facts.now
    last = facts.last_start.started_at if facts.last_start else None
    before = max(filter(None, (facts.changed_at, last)))
    if now < before - timedelta(minutes=5):
        return bad(
            f"The clock is wrong: it shows {facts.time(now)}, and "
            f"{facts.time(before)} has already passed.",
            "Synchronise it over the network.",
            "timedatectl",
        )
    if facts.clock_synchronised is None:
        return unknown("It is unknown whether the clock is right.", command="timedatectl")
    shows = f"{facts.local(now):%Y-%m-%d %H:%M}"
    if not facts.clock_synchronised:
        return unknown(
            f"The clock shows {shows}, but it is not synchronised.",
            "Compare it with another clock.",
            "timedatectl",
        )
    return good(f"It is synchronised and shows {shows}.")


CHECKS: Checks = {
    "In sync": _in_step,
    "Allowed to use crontab": _allowed,
    "The time zone": _zone,
    "The clock": _clock,
}
