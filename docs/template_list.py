"""Write the list of templates in docs/templates.md from the templates' files.

PYTHONPATH=. .venv/bin/python docs/template_list.py
"""

from itertools import groupby
from pathlib import Path

from pitasker_core.crontab.schedule import describe, parse
from pitasker_core.templates.catalogue import built_in_templates
from pitasker_core.templates.model import Kind, Parameter, Template
from pitasker_core.templates.rendering import render

PAGE = Path(__file__).parent / "templates.md"
START, END = "<!-- templates: made by template_list.py -->", "<!-- end of templates -->"


def render_list() -> str:
    """Return all templates by category."""
    parts: list[str] = []
    for category, templates in groupby(built_in_templates(), lambda template: template.category):
        parts += [f"### {category}", ""]
        for template in templates:
            parts += [*_section(template), ""]
    return "\n".join(parts)


def _section(template: Template) -> list[str]:
    record = render(template, {})
    guards = ", ".join(f"{guard.value} `{operand}`" for guard, operand in template.guards)
    lines = [
        f"#### `{template.name}`: {template.title}",
        "",
        template.summary,
        "",
        f"- Schedule: `{template.schedule}`; {describe(parse(record.schedule))}",
        f"- Command: ``{template.command}``",
        f"- Needs: {', '.join(f'`{program}`' for program in template.needs)}",
    ]
    if guards:
        lines.append(f"- Guards: {guards}")
    lines += [
        f"- Runs are recorded, for {template.timeout_seconds} seconds at most"
        f"{', one at a time' if template.no_overlap else ''}"
        f"{', caught up on after a shutdown' if template.catch_up else ''}",
        f"- Notifications: {', '.join(template.notify or ())}",
        "",
    ]
    if template.parameters:
        lines += ["| parameter | meaning | default | value |", "|---|---|---|---|"]
        lines += [_row(parameter) for parameter in template.parameters]
    return lines


def _row(parameter: Parameter) -> str:
    default = f"`{parameter.default}`"
    return f"| `{parameter.name}` | {parameter.label} | {default} | {_values(parameter)} |"


def _values(parameter: Parameter) -> str:
    match parameter.kind:
        case Kind.NUMBER:
            return f"number, {parameter.least} to {parameter.most}"
        case Kind.CHOICE:
            return "one of " + ", ".join(f"`{option}`" for option in parameter.options)
        case Kind.TEXT:
            return f"text ({parameter.form.value}), at most {parameter.longest} characters"
        case _:
            check = f" of a {parameter.check.value}" if parameter.check != "nothing" else ""
            return f"{parameter.kind.value}{check}"


def page() -> str:
    """Return the page with the present list."""
    before, rest = PAGE.read_text().split(START)
    return f"{before}{START}\n\n{render_list()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page())
