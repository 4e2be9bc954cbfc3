"""Actions on tasks that several pages offer: pause, resume, start and import."""

from collections.abc import Iterable

from pitasker_core import tasks
from pitasker_core.dashboard.messages import act, add_notice, report_applied, report_import
from pitasker_core.dashboard.run_live import take_in
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.runs import manual
from pitasker_core.sync.importing import Import, ImportOptions, import_entries
from pitasker_core.tasks import Task


def switch_task(task: Task, *, on: bool) -> None:
    """Resume or pause a task, and report it."""
    done = act(tasks.change, environment(), ACTOR, task.id, task.version, paused=not on)
    report_applied(done, f"{'Resumed' if on else 'Paused'} {task.name}")


def start_tasks(chosen: Iterable[Task], by: str = "hand") -> list[str]:
    """Start tasks, and return the names of those that started. Errors become notices."""
    names = [task.name for task in chosen if act(manual.start, environment(), ACTOR, task, by)]
    take_in()
    return names


def import_entry(entry: Import) -> int | None:
    """Import an entry, even if a task is equal to it. Returns the task's id, or reports why not."""
    options = ImportOptions(skip_duplicates=False)
    result = act(import_entries, environment(), ACTOR, [entry], options)
    if result is None:
        return None
    report_import(result)
    for reason in result.errors.values():
        add_notice("error", reason)
    return next(iter(result.imported), None)
