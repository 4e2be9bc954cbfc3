"""A template becomes a task: shown first, then created as any task."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.formats.record import TaskRecord
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


def use_template(
    environment: Environment,
    actor: str,
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
    actor: str,
    task: int,
    name: str,
    title: str = "",
    parameters: Mapping[str, str] | None = None,
    *,
    replace_own: bool = False,
) -> Template:
    """Keep a task as a template. Raises NotFound, InvalidSyntax."""
    record = record_of(get(environment, task))
    template = template_from_task(record, name, title, parameters=parameters)
    return save_template(environment, actor, template, replace=replace_own)


def _search_path(environment: Environment) -> str:
    """The PATH of a new entry, at the end of the crontab."""
    try:
        _, document = read_crontab(environment)
    except PiTaskerError:
        return _CRON_PATH
    return document.environment().get("PATH", _CRON_PATH)
