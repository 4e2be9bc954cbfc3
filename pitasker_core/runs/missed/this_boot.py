"""The present boot of the machine, and when the machine was off before it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from pitasker_core.runs import machine
from pitasker_core.runs.cron_log.log_lines import JUMP
from pitasker_core.runs.cron_log.log_source import Unreadable
from pitasker_core.runs.cron_log.observed import Seen
from pitasker_core.runs.machine import Moment
from pitasker_core.runs.missed import offline_periods, rows
from pitasker_core.runs.missed.detection import ON_TIME, Stretch
from pitasker_core.runs.missed.offline_periods import Boot, Sign


@dataclass(frozen=True)
class ThisBoot:
    """The boot, and the times without the machine that can explain a missed run."""

    at: datetime
    """By the current clock."""
    since: datetime
    """By the clock of that time, or slightly earlier."""
    offs: list[Stretch]
    off: Stretch | None
    """The period right before this boot in which the machine was off."""
    covered: datetime | None
    """The time from which the journal is complete."""


def find_this_boot(
    session: Session, crontab_row: int, moment: Moment, seen: Seen | Unreadable, sign: Sign | None
) -> ThisBoot:
    """Find out about this boot. `sign` is PiTasker's last sign of life. Starts a process."""
    boots: list[Boot] = []
    since = moment.booted_at - ON_TIME
    if isinstance(seen, Seen) and seen.is_journal and (boots := machine.boots()):
        since = min(since, boots[-1].start)
        boots = offline_periods.correct_starts(boots, seen.jumps, moment.booted_at)
    last = rows.last_sign(session, crontab_row, moment.booted_at, sign)
    offs = offline_periods.offs(boots, moment.booted_at, last)
    off = offs[-1] if offs and abs(offs[-1].end - moment.booted_at) < JUMP else None
    if off:
        since = min(since, off.start)
    covered = boots[0].start - ON_TIME if boots else None
    return ThisBoot(moment.booted_at, since, offs, off, covered)
