import re

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import parse, split_stdin
from pitasker_core.crontab.entry_spec import EntrySpec, check_entry
from pitasker_core.crontab.rejection import refuse
from pitasker_core.templates.model import Kind, Template
from pitasker_core.templates.rendering import PLACEHOLDER, render

MOST_PARAMETERS = 20
MOST_OPTIONS = 40
LONGEST_TITLE = 100
LONGEST_SUMMARY = 1_000
LONGEST_COMMAND = 2_000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_IN_SCHEDULES = (Kind.TIME, Kind.NUMBER, Kind.CHOICE)


def check_template(template: Template) -> Template:
    """The template, if it makes a task with its defaults; else InvalidSyntax."""
    if not _NAME.fullmatch(template.name):
        raise InvalidSyntax(
            "The name of a template begins with a letter, and has at most 40 small letters, "
            "digits and dashes."
        )
    try:
        _check_sizes(template)
        _check_parameters(template)
        _check_places(template)
        record = render(template, {})
        spec = EntrySpec(record.name, record.schedule, record.command, tag=None)
        refuse(check_entry(spec, parse(""), is_new=True))
    except InvalidSyntax as problem:
        message = f"The template {template.name} cannot be used: {problem.message}"
        raise InvalidSyntax(message, problem.advice) from None
    return template


def _check_sizes(template: Template) -> None:
    if not 0 < len(template.title) <= LONGEST_TITLE:
        raise InvalidSyntax(f"its title has 1 to {LONGEST_TITLE} characters.")
    if len(template.summary) > LONGEST_SUMMARY:
        raise InvalidSyntax(f"its summary has at most {LONGEST_SUMMARY} characters.")
    if len(template.command) > LONGEST_COMMAND:
        raise InvalidSyntax(f"its command has at most {LONGEST_COMMAND} characters.")


def _check_parameters(template: Template) -> None:
    names = [parameter.name for parameter in template.parameters]
    if len(names) > MOST_PARAMETERS:
        raise InvalidSyntax(f"it has more than {MOST_PARAMETERS} parameters.")
    for parameter in template.parameters:
        if not _PARAMETER_NAME.fullmatch(parameter.name):
            raise InvalidSyntax(f"{parameter.name[:50]!r} cannot be the name of a parameter.")
        if not parameter.label:
            raise InvalidSyntax(f"the parameter {parameter.name} has no label.")
        if (parameter.kind is Kind.CHOICE) != bool(parameter.options):
            raise InvalidSyntax(f"the parameter {parameter.name}: a choice has options.")
        if len(parameter.options) > MOST_OPTIONS:
            raise InvalidSyntax(f"the parameter {parameter.name} has too many options.")


def _check_places(template: Template) -> None:
    kinds = {parameter.name: parameter.kind for parameter in template.parameters}
    texts = (template.schedule, template.command, template.task_name)
    used: set[str] = set()
    for text in (*texts, *(operand for _, operand in template.guards)):
        used.update(match[1] for match in PLACEHOLDER.finditer(text))
    if unknown := sorted(used - kinds.keys()):
        raise InvalidSyntax(f"it has no parameter {unknown[0]!r}.")
    if unused := [name for name in kinds if name not in used]:
        raise InvalidSyntax(f"the parameter {unused[0]!r} is not used.")
    for match in PLACEHOLDER.finditer(template.schedule):
        if kinds[match[1]] not in _IN_SCHEDULES:
            raise InvalidSyntax(f"a {kinds[match[1]]} cannot stand in a schedule.")
    for text in (template.command, *(operand for _, operand in template.guards)):
        _check_command_places(text)
    if template.guards and split_stdin(template.command)[1]:
        raise InvalidSyntax("a command with standard input (%) cannot have guards.")


def _check_command_places(command: str) -> None:
    """Raise unless each placeholder stands outside of quotes, in a word of the shell."""
    proper, stdin = split_stdin(command)
    if PLACEHOLDER.search(stdin):
        raise InvalidSyntax("a parameter cannot stand in standard input, behind a %.")
    quote, is_escaped = "", False
    for at, character in enumerate(proper):
        if PLACEHOLDER.match(proper, at) and (quote or is_escaped):
            raise InvalidSyntax(
                "a parameter cannot stand in quotes.", "Its value is put into quotes by itself."
            )
        if is_escaped:
            is_escaped = False
        elif character == "\\" and quote != "'":
            is_escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
