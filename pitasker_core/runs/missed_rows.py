"""What is known in the database of runs that were missed: what to judge them by, and the writing of
what was found."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from pitasker_core import clock, notices
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule, Schedule
from pitasker_core.database.tables import OperationRow, RunRow, SettingRow, TaskRow
from pitasker_core.runs.boots import Sign
from pitasker_core.runs.missed import Gap, sentence

_BY_CRON = ("observed", "recorded")


@dataclass(frozen=True)
class Judged:
    """A task that is to be judged: what its runs depend on, and what can be seen of them."""

    id: int
    name: str
    schedule: Schedule
    changed: datetime
    recorded: bool

    @property
    def key(self) -> tuple[str, datetime]:
        """What it is judged by; another one begins anew."""
        return self.schedule.text, self.changed


def _key(crontab: int) -> str:
    return f"missed:{crontab}"


def mark(session: Session, crontab: int) -> datetime | None:
    """How far everything was judged, as far as that was kept."""
    row = session.get(SettingRow, _key(crontab))
    return datetime.fromisoformat(row.value["judged"]) if row else None


def keep_mark(session: Session, crontab: int, judged: datetime) -> None:
    """Keep how far everything was judged."""
    value = {"judged": judged.isoformat()}
    session.merge(SettingRow(key=_key(crontab), value=value, updated_at=clock.now()))


def last_sign(
    session: Session, crontab: int, booted_at: datetime, said: Sign | None
) -> Sign | None:
    """The last that is known of the machine before it was booted."""
    if said is None or said.stopped:
        return said
    last = [said.at]
    for column, mine in (
        (RunRow.started_at, and_(RunRow.crontab == crontab, RunRow.source != "missed")),
        (OperationRow.started_at, OperationRow.crontab == crontab),
    ):
        query = select(column).where(mine, column < booted_at)
        if (found := session.scalar(query.order_by(column.desc()).limit(1))) is not None:
            last.append(found)
    return Sign(max(last), stopped=False)


def tasks(session: Session, crontab: int, dialect: Dialect) -> Iterator[Judged]:
    """The tasks that cron should run."""
    rows = session.execute(
        select(
            TaskRow.id,
            TaskRow.name,
            TaskRow.cron_schedule,
            TaskRow.updated_at,
            TaskRow.crontab_synced_at,
            TaskRow.record_runs,
        )
        .where(
            TaskRow.crontab == crontab,
            TaskRow.is_system_managed,
            TaskRow.synced_to_crontab,
            TaskRow.crontab_synced_at.is_not(None),
            TaskRow.paused.is_(False),
            TaskRow.deleted_at.is_(None),
        )
        .order_by(TaskRow.name, TaskRow.id)
    )
    for row in rows:
        with suppress(InvalidSchedule):
            meaning = schedules.parse(row.cron_schedule, dialect)
            changed = max(row.updated_at, row.crontab_synced_at)
            yield Judged(row.id, row.name, meaning, changed, row.record_runs)


def starts(session: Session, task: int, since: datetime) -> list[datetime]:
    """When cron started a task, ascending."""
    query = select(RunRow.started_at).where(
        RunRow.task == task, RunRow.started_at >= since, RunRow.source.in_(_BY_CRON)
    )
    return list(session.scalars(query.order_by(RunRow.started_at)))


def known(session: Session, task: int, since: datetime) -> list[tuple[datetime, datetime]]:
    """The times of which it is known already that they were missed."""
    query = select(RunRow.started_at, RunRow.ended_at).where(
        RunRow.task == task, RunRow.source == "missed", RunRow.ended_at >= since
    )
    return [(first, last) for first, last in session.execute(query) if last]


def tell_late(session: Session, task: int, at: datetime, start: datetime) -> None:
    """Say of a run that it started late, where there is nothing else to say of it."""
    minutes = round((start - at) / timedelta(minutes=1))
    session.execute(
        update(RunRow)
        .where(RunRow.task == task, RunRow.started_at == start, RunRow.note == "")
        .where(RunRow.state.in_(("started", "success")))
        .values(note=f"started {minutes} min late")
        .execution_options(synchronize_session=False)
    )


def write(session: Session, crontab: int, task: int, gap: Gap) -> int | None:
    """Keep what was missed; the new run's id, or None when an earlier gap only went on."""
    first, last = gap.times[0], gap.times[-1]
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == task, or_(TaskRow.last_run.is_(None), TaskRow.last_run < last))
        .values(status="missed")
        .execution_options(synchronize_session=False)
    )
    mine = RunRow.task == task
    query = select(RunRow).where(mine, RunRow.started_at < first)
    before = session.scalar(query.order_by(RunRow.started_at.desc()).limit(1))
    if before and before.source == "missed" and before.note == gap.note:
        before.ended_at = last
        before.missed += len(gap.times)
        return None
    name = f"missed:{task}:{int(first.timestamp())}"
    if session.scalar(select(RunRow.id).where(RunRow.name == name)) is not None:
        return None
    row = RunRow(
        crontab=crontab,
        task=task,
        name=name,
        source="missed",
        started_at=first,
        ended_at=last,
        missed=len(gap.times),
        note=gap.note,
    )
    session.add(row)
    session.flush()
    return row.id


def tell(session: Session, crontab: int, note: str, missed: Sequence[tuple[Judged, int]]) -> None:
    """One notice for all that was missed for one reason."""
    message = sentence(note, [task.name for task, _ in missed])
    alone = missed[0] if len(missed) == 1 else None
    task, run = (alone[0].id, alone[1]) if alone else (None, None)
    notices.add(session, crontab, notices.Kind.MISSED, message, task, run)
