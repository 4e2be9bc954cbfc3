"""A template becomes a task: shown first, then created as any task."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.crontab.document import add_recorder, add_tag
from pitasker_core.crontab.recording import Recorder, recording
from pitasker_core.formats.record import TaskRecord
from pitasker_core.sync import recorder_copy
from pitasker_core.sync.service import read_crontab
from pitasker_core.tasks import Applied, create, get
from pitasker_core.tasks.file_export import record_of
from pitasker_core.tasks.file_import import new_task
from pitasker_core.templates.from_task import template_from_task
from pitasker_core.templates.missing import list_missing
from pitasker_core.templates.model import Template
from pitasker_core.templates.own import get_template, save_template
from pitasker_core.templates.rendering import render

_CRON_PATH = "/usr/bin:/bin"
_NO_TASK, _NO_TAG = 0, UUID(int=0)


@dataclass(frozen=True)
class Rendered:
    """The task of a template and values, and what this machine lacks for it."""

    record: TaskRecord
    missing: tuple[str, ...]


def render_template(
    environment: Environment, name: str, values: Mapping[str, str], task_name: str = ""
) -> Rendered:
    """The task that a template would make. Raises NotFound, InvalidSyntax."""
    template = get_template(environment, name).template
    record = render(template, values, task_name)
    return Rendered(record, list_missing(template, values, _search_path(environment)))


def crontab_line(environment: Environment, record: TaskRecord) -> str:
    """Return the entry that a record becomes. The task's number and tag are 0 in it.

    Raises InvalidSyntax when its runs cannot be recorded.
    """
    recorder = Recorder(str(recorder_copy.path(environment)), _NO_TASK)
    how = recording(
        on=record.record_runs,
        timeout_seconds=record.timeout_seconds,
        no_overlap=record.no_overlap,
    )
    command = add_tag(add_recorder(record.command, recorder, how), _NO_TAG)
    return f"{record.schedule} {command}"


def use_template(
    environment: Environment,
    actor: Actor,
    name: str,
    values: Mapping[str, str],
    task_name: str = "",
    *,
    system_managed: bool = True,
    paused: bool = False,
) -> Applied:
    """Create the task of a template. Raises NotFound, InvalidSyntax, DatabaseError."""
    template = get_template(environment, name).template
    record = replace(render(template, values, task_name), paused=paused)
    return create(environment, actor, new_task(record, system_managed))


def save_as_template(
    environment: Environment,
    actor: Actor,
    task: int,
    name: str,
    title: str = "",
    parameters: Mapping[str, str] | None = None,
    *,
    summary: str = "",
    replace_own: bool = False,
) -> Template:
    """Keep a task as a template. Raises NotFound, InvalidSyntax."""
    record = record_of(get(environment, task))
    template = template_from_task(record, name, title, summary.strip(), parameters)
    return save_template(environment, actor, template, replace=replace_own)


def _search_path(environment: Environment) -> str:
    """The PATH of a new entry, at the end of the crontab."""
    try:
        _, document = read_crontab(environment)
    except PiTaskerError:
        return _CRON_PATH
    return document.environment().get("PATH", _CRON_PATH)
