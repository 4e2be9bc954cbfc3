import re
from collections.abc import Callable, Mapping

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import NAME_LIMIT
from pitasker_core.formats.record import TaskRecord
from pitasker_core.templates.model import OPTIONS, Guard, Parameter, Template
from pitasker_core.templates.values import check_value, command_text, schedule_text

PLACEHOLDER = re.compile(r"\{\{([a-z][a-z0-9_]{0,39})\}\}")

# 69 and 75 are EX_UNAVAILABLE and EX_TEMPFAIL of sysexits(3).
_GUARDS = {
    Guard.MOUNTED: "mountpoint -q {} || {{ echo Not mounted >&2; exit 69; }}; ",
    Guard.ONLINE: "getent hosts {} >/dev/null || {{ echo Not online >&2; exit 69; }}; ",
    # The lock is held until the last process that has the file open ends.
    Guard.LOCK: "exec 9<{}; flock -n 9 || {{ echo Still running >&2; exit 75; }}; ",
}


def render(template: Template, values: Mapping[str, str], name: str = "") -> TaskRecord:
    """The task of a template. A parameter without a value has its default.

    Raises InvalidSyntax for a value that its parameter does not take, and for an unknown one.
    """
    chosen = chosen_values(template, values)
    words = _texts(template, chosen, command_text)
    guards = "".join(
        _GUARDS[guard].format(_filled(operand, words)) for guard, operand in template.guards
    )
    return TaskRecord(
        name or _filled(template.task_name, chosen)[:NAME_LIMIT].strip() or template.title,
        _filled(template.schedule, _texts(template, chosen, schedule_text)),
        guards + _filled(template.command, words),
        **{option: getattr(template, option) for option in OPTIONS},
    )


def chosen_values(template: Template, values: Mapping[str, str]) -> dict[str, str]:
    """A value for each parameter. Raises InvalidSyntax."""
    names = [parameter.name for parameter in template.parameters]
    if unknown := [name for name in values if name not in names]:
        raise InvalidSyntax(
            f"The template {template.name} has no parameter {unknown[0]!r}.",
            f"It has {', '.join(names)}." if names else "It has none.",
        )
    return {
        parameter.name: check_value(parameter, values.get(parameter.name, parameter.default))
        for parameter in template.parameters
    }


def _texts(
    template: Template, chosen: Mapping[str, str], text: Callable[[Parameter, str], str]
) -> dict[str, str]:
    return {
        parameter.name: text(parameter, chosen[parameter.name]) for parameter in template.parameters
    }


def _filled(text: str, texts: Mapping[str, str]) -> str:
    """The text with what stands for each parameter."""
    return PLACEHOLDER.sub(lambda match: texts[match[1]], text)
