"""Tasks as a file: for another machine, another program, or a calendar."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.base.text import marked
from pitasker_core.formats.fields import FIELDS
from pitasker_core.formats.icalendar_file import WEEKS, write_calendar
from pitasker_core.formats.record import Remark, TaskRecord
from pitasker_core.formats.registry import FILE_KINDS, Target, write_tasks
from pitasker_core.formats.systemd import Job, Units, write_units
from pitasker_core.tasks.model import Task
from pitasker_core.tasks.task_list import Listing, listing

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The same tasks make the same bytes."""


@dataclass(frozen=True)
class ExportedFile:
    """A file to be saved, and what it does not carry over."""

    name: str
    media_type: str
    data: bytes
    notes: tuple[Remark, ...] = ()


def export_file(
    environment: Environment,
    target: Target,
    tasks: Sequence[int] | None = None,
    weeks: int = WEEKS,
) -> ExportedFile:
    """Tasks in a format; all of them when `tasks` is None. `weeks` is for the calendar.

    Raises NotFound for a task that is not there.
    """
    current = listing(environment)
    chosen = _chosen(current, tasks)
    kind = FILE_KINDS[target]
    data, notes = _data(current, chosen, target, weeks)
    return ExportedFile(f"pitasker-tasks.{kind.extension}", kind.media_type, data, notes)


def export_units(environment: Environment, tasks: Sequence[int] | None = None) -> Units:
    """Tasks as unit files of systemd, one by one. Raises NotFound."""
    current = listing(environment)
    return _units(current, _chosen(current, tasks))


def record_of(task: Task) -> TaskRecord:
    """What a file says of a task. The end of a pause stays behind: a file may be read later."""
    return TaskRecord(**{field.attribute: getattr(task, field.attribute) for field in FIELDS})


def _chosen(current: Listing, tasks: Sequence[int] | None) -> list[Task]:
    if tasks is None:
        return current.tasks
    by_id = {task.id: task for task in current.tasks}
    if missing := [number for number in tasks if number not in by_id]:
        raise NotFound(
            f"There is no task {missing[0]}.", marked("`./pitasker list` shows them all.")
        )
    return [by_id[number] for number in dict.fromkeys(tasks)]


def _data(
    current: Listing, chosen: Sequence[Task], target: Target, weeks: int
) -> tuple[bytes, tuple[Remark, ...]]:
    records = tuple(record_of(task) for task in chosen)
    if target is Target.SYSTEMD:
        units = _units(current, chosen)
        return _zipped(units), units.notes
    if target is Target.ICAL:
        zone = clock.system_zone()
        clocks = [current.cron_clock(task, zone) for task in chosen]
        return write_calendar(records, clock.now(), zone, weeks, current.dialect, clocks)
    text, notes = write_tasks(records, target, current.dialect)
    pauses = tuple(
        Remark("The end of its pause is not carried over.", name=task.name)
        for task in chosen
        if task.paused_until
    )
    return text.encode(), notes + pauses


def _units(current: Listing, chosen: Sequence[Task]) -> Units:
    jobs = [Job(record_of(task), _environment(current, task)) for task in chosen]
    return write_units(jobs, current.dialect)


def _environment(current: Listing, task: Task) -> dict[str, str]:
    """The environment lines that reach a task's entry, or would reach a new one."""
    if current.comparison is None:
        return {}
    document = current.comparison.document
    indexes = document.by_tag.get(task.tag, []) if task.tag else []
    return document.environment(next(iter(indexes), None))


def _zipped(units: Units) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for unit in units.files:
            archive.writestr(zipfile.ZipInfo(unit.name, _ZIP_DATE), unit.text)
        notes = "".join(f"- {note}\n" for note in units.notes)
        archive.writestr(zipfile.ZipInfo("NOTES.txt", _ZIP_DATE), notes)
    return file.getvalue()
