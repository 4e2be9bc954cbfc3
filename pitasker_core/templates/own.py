"""A person's own templates, in the database. Each belongs to one crontab, as all rows do."""

import logging
from dataclasses import dataclass

from sqlalchemy import select

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, NotFound, PiTaskerError
from pitasker_core.base.storable import check_storable
from pitasker_core.base.text import marked
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import SettingRow
from pitasker_core.templates.catalogue import built_in_templates
from pitasker_core.templates.model import Template
from pitasker_core.templates.template_file import read_template, write_template

MOST_TEMPLATES = 200
_PREFIX = "template:"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A template and whether a person made it."""

    template: Template
    is_own: bool


def list_templates(environment: Environment) -> list[Listed]:
    """The person's own templates by title, then those that come with PiTasker."""
    with database.session(environment) as session:
        rows = session.scalars(select(SettingRow).where(SettingRow.key.startswith(_PREFIX))).all()
        own = [template for row in rows if (template := _readable(row))]
    own.sort(key=lambda template: (template.title, template.name))
    return [
        *(Listed(template, is_own=True) for template in own),
        *(Listed(template, is_own=False) for template in built_in_templates()),
    ]


def get_template(environment: Environment, name: str) -> Listed:
    """The template of a name. Raises NotFound."""
    for template in built_in_templates():
        if template.name == name:
            return Listed(template, is_own=False)
    with database.session(environment) as session:
        row = session.get(SettingRow, _PREFIX + name)
        if row is None:
            raise _missing(name)
        return Listed(_template(row), is_own=True)


def save_template(
    environment: Environment, actor: Actor, template: Template, *, replace: bool = False
) -> Template:
    """Keep a template. Nothing in it is run.

    Raises InvalidSyntax when its name is taken, unless it is to replace another own template.
    """
    if template.name in {built_in.name for built_in in built_in_templates()}:
        raise InvalidSyntax(
            f"A template of PiTasker is called {template.name}.", "Choose another name."
        )
    text = write_template(template, as_json=True)
    check_storable("A template", text)
    with database.session(environment) as session:
        keys = set(
            session.scalars(select(SettingRow.key).where(SettingRow.key.startswith(_PREFIX)))
        )
        is_there = _PREFIX + template.name in keys
        if is_there and not replace:
            raise InvalidSyntax(
                f"There is a template {template.name} already.",
                "Choose another name, or replace it.",
            )
        if len(keys) >= MOST_TEMPLATES and not is_there:
            raise InvalidSyntax(f"There are {MOST_TEMPLATES} templates already.", "Remove some.")
        key, now = _PREFIX + template.name, clock.now()
        # As text: PostgreSQL does not keep the order of keys, and that of parameters matters.
        session.merge(SettingRow(key=key, value={"file": text}, updated_at=now))
        after = {"template": template.name, "title": template.title}
        add_event(session, actor, EventKind.TEMPLATE_SAVED, after=after)
    return template


def remove_template(environment: Environment, actor: Actor, name: str) -> None:
    """Remove an own template. Raises NotFound."""
    with database.session(environment) as session:
        row = session.get(SettingRow, _PREFIX + name)
        if row is None:
            raise _missing(name)
        session.delete(row)
        add_event(session, actor, EventKind.TEMPLATE_REMOVED, before={"template": name})


def import_template(
    environment: Environment, actor: Actor, data: bytes, *, replace: bool = False
) -> Template:
    """Keep the template of a file. Raises ParseError or InvalidSyntax."""
    return save_template(environment, actor, read_template(data), replace=replace)


def _template(row: SettingRow) -> Template:
    return read_template(str(row.value["file"]).encode())


def _readable(row: SettingRow) -> Template | None:
    """The template of a row; None for one that this version cannot read."""
    try:
        return _template(row)
    except PiTaskerError as problem:
        _log.warning("The template of %s cannot be read: %s", row.key, problem.message)
        return None


def _missing(name: str) -> NotFound:
    return NotFound(
        f"There is no template {name[:60]} of your own.",
        marked("`./pitasker templates list` shows them all."),
    )
