"""Templates as files in YAML or JSON, in one schema. Reading one runs nothing. Pure."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from pitasker_core.base.errors import ParseError
from pitasker_core.formats import node as nodes
from pitasker_core.formats.json_document import read_json
from pitasker_core.formats.node import Node, NodeError
from pitasker_core.formats.record import decoded
from pitasker_core.formats.yaml_document import read_yaml, write_yaml
from pitasker_core.templates.checking import check_template
from pitasker_core.templates.model import Check, Form, Guard, Kind, Parameter, Template

FORMAT = "pitasker-template"
VERSION = 1
LARGEST_FILE = 64_000

_E = TypeVar("_E", bound=StrEnum)


def read_template(data: bytes) -> Template:
    """The template of a file. Raises ParseError with the line, InvalidSyntax for an unusable one.

    Unknown keys are refused: a template that another version wrote may mean something else.
    """
    if len(data) > LARGEST_FILE:
        raise ParseError(f"A template has at most {LARGEST_FILE:,} bytes.")
    text = decoded(data)
    node = read_json(text) if text.lstrip().startswith("{") else read_yaml(text)
    try:
        template = _template(node)
    except NodeError as problem:
        place = f"Line {problem.line}: " if problem.line else ""
        raise ParseError(f"{place}{problem.message}.", "docs/templates.md has the keys.") from None
    return check_template(template)


def write_template(template: Template, *, as_json: bool = False) -> str:
    """The file of a template."""
    data = template_data(template)
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n" if as_json else write_yaml(data)


def template_data(template: Template) -> dict[str, Any]:
    """A template as plain data."""
    result: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    for key, (attribute, _) in _FIELDS.items():
        value = getattr(template, attribute)
        if key in _REQUIRED or value != getattr(_EMPTY, attribute):
            result[key] = list(value) if isinstance(value, tuple) else value
    if template.parameters:
        result["parameters"] = {p.name: _parameter_data(p) for p in template.parameters}
    if template.guards:
        result["guards"] = [{guard.value: operand} for guard, operand in template.guards]
    return result


def _text(node: Node, key: str) -> str:
    return nodes.text(node, key, 10_000)


def _or_none(read: Callable[[Node, str], Any]) -> Callable[[Node, str], Any]:
    return lambda node, key: None if nodes.is_null(node) else read(node, key)


_FIELDS: dict[str, tuple[str, Callable[[Node, str], Any]]] = {
    "name": ("name", _text),
    "title": ("title", _text),
    "summary": ("summary", _text),
    "category": ("category", _text),
    "needs": ("needs", nodes.texts),
    "schedule": ("schedule", _text),
    "command": ("command", _text),
    "taskName": ("task_name", _text),
    "notes": ("notes", _text),
    "labels": ("labels", nodes.texts),
    "recordRuns": ("record_runs", nodes.flag),
    "timeoutSeconds": ("timeout_seconds", _or_none(nodes.number)),
    "noOverlap": ("no_overlap", nodes.flag),
    "catchUp": ("catch_up", nodes.flag),
    "notify": ("notify", _or_none(nodes.texts)),
}
_REQUIRED = ("name", "title", "summary", "schedule", "command")
_KEYS = frozenset({"format", "version", "parameters", "guards", *_FIELDS})
_EMPTY = Template("", "", "", "", "")
_PARAMETER_KEYS = frozenset(
    {"kind", "label", "default", "least", "most", "longest", "form", "check", "options"}
)
_EMPTY_PARAMETER = Parameter("", Kind.TEXT, "", "")


def _template(node: Node) -> Template:
    values = nodes.mapping(node, "a template", _KEYS)
    nodes.check_head(node, values, FORMAT, VERSION)
    if missing := [key for key in _REQUIRED if key not in values]:
        raise NodeError(f"{missing[0]} is missing", node.line)
    fields = {
        attribute: read(values[key], key)
        for key, (attribute, read) in _FIELDS.items()
        if key in values
    }
    if "parameters" in values:
        named = nodes.free_mapping(values["parameters"], "parameters")
        fields["parameters"] = tuple(_parameter(name, value) for name, value in named.items())
    if "guards" in values:
        fields["guards"] = tuple(_guard(item) for item in nodes.items(values["guards"], "guards"))
    return Template(**fields)


def _parameter(name: str, node: Node) -> Parameter:
    values = nodes.mapping(node, f"the parameter {name[:50]!r}", _PARAMETER_KEYS)
    if missing := [key for key in ("kind", "label", "default") if key not in values]:
        raise NodeError(f"the parameter {name[:50]!r} has no {missing[0]}", node.line)
    fields: dict[str, Any] = {
        key: nodes.number(values[key], key) for key in ("least", "most", "longest") if key in values
    }
    if "form" in values:
        fields["form"] = _member(Form, values["form"], "form")
    if "check" in values:
        fields["check"] = _member(Check, values["check"], "check")
    if "options" in values:
        options = nodes.free_mapping(values["options"], "options")
        fields["options"] = {key: _text(value, key[:50]) for key, value in options.items()}
    kind = _member(Kind, values["kind"], "kind")
    return Parameter(
        name, kind, _text(values["label"], "label"), _default(values["default"]), **fields
    )


def _default(node: Node) -> str:
    """The default, of which JSON may say that it is a number."""
    is_number = isinstance(node.value, int) and not isinstance(node.value, bool)
    return str(node.value) if is_number else _text(node, "default")


def _guard(node: Node) -> tuple[Guard, str]:
    values = nodes.mapping(node, "a guard", frozenset(Guard))
    if len(values) != 1:
        raise NodeError("a guard has one key", node.line)
    [(key, value)] = values.items()
    return Guard(key), _text(value, key)


def _member(kind: type[_E], node: Node, what: str) -> _E:
    value = _text(node, what)
    if value not in set(kind):
        raise NodeError(f"{what} must be one of {', '.join(kind)}", node.line)
    return kind(value)


def _parameter_data(parameter: Parameter) -> dict[str, Any]:
    result: dict[str, Any] = {"kind": parameter.kind.value, "label": parameter.label}
    is_number = parameter.kind is Kind.NUMBER
    result["default"] = int(parameter.default) if is_number else parameter.default
    for key in ("least", "most", "longest", "form", "check", "options"):
        value = getattr(parameter, key)
        if value != getattr(_EMPTY_PARAMETER, key):
            result[key] = value.value if isinstance(value, StrEnum) else value
    if parameter.options:
        result["options"] = dict(parameter.options)
    return result
