import re
from collections.abc import Mapping

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.formats.record import TaskRecord
from pitasker_core.templates.checking import check_template
from pitasker_core.templates.model import OPTIONS, Kind, Parameter, Template
from pitasker_core.templates.rendering import PLACEHOLDER

_WORD = re.compile(r"[\w./+@:,-]+")


def template_from_task(
    record: TaskRecord,
    name: str,
    title: str = "",
    summary: str = "",
    parameters: Mapping[str, str] | None = None,
) -> Template:
    """A template of a task's values. Its ping URL stays behind: it belongs to that task alone.

    `parameters` names texts of the command that become parameters, with their value as the default.
    Such a text stands by itself in the command, or between `=`, quotes apart. Raises InvalidSyntax.
    """
    if PLACEHOLDER.search(record.command):
        raise InvalidSyntax(
            "The command has a word in {{ }}, which a template would take for a parameter."
        )
    command = record.command
    made = []
    for parameter, value in (parameters or {}).items():
        command = _replaced(command, parameter, value)
        made.append(_parameter(parameter, value))
    return check_template(
        Template(
            name,
            title or record.name[:100],
            summary or f"Saved from the task “{record.name}”.",
            record.schedule,
            command,
            category="Own",
            parameters=tuple(made),
            task_name=record.name if not PLACEHOLDER.search(record.name) else "",
            **{option: getattr(record, option) for option in OPTIONS},
        )
    )


def can_be_parameter(word: str) -> bool:
    """Return whether a word of a command can become a parameter."""
    return _WORD.fullmatch(word) is not None


def _replaced(command: str, parameter: str, value: str) -> str:
    """The command with a placeholder for each whole occurrence of a value."""
    if not can_be_parameter(value):
        raise InvalidSyntax(
            f"The parameter {parameter}: {value!r} is not one plain word.",
            "Only a word without blanks, quotes and signs of the shell can become a parameter.",
        )
    whole = re.compile(rf"(?<![^\s=;&|<>(]){re.escape(value)}(?![^\s;&|<>)])")
    replaced, count = whole.subn("{{" + parameter + "}}", command)
    if count == 0:
        raise InvalidSyntax(f"The parameter {parameter}: {value!r} is no word of the command.")
    return replaced


def _parameter(name: str, value: str) -> Parameter:
    label = name.replace("_", " ").capitalize()
    if value.startswith("/"):
        return Parameter(name, Kind.PATH, label, value)
    if value.isdecimal() and len(value) < 7 and value == str(int(value)):
        return Parameter(name, Kind.NUMBER, label, value)
    return Parameter(name, Kind.TEXT, label, value)
