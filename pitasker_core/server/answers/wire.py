"""The JSON of the API and the command line: keys in camelCase, times in ISO 8601 (UTC: Z).

An answer is a frozen dataclass. The API's documentation is made from its fields and docstrings. A
field whose default is None is left out while it is None; other fields are always there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, dataclass_transform, get_type_hints
from uuid import UUID

T = TypeVar("T")

Shape = dict[str, Any]
"""A JSON object."""


def camel(name: str) -> str:
    """Return a field's name as its key: `last_sync` becomes `lastSync`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


@dataclass_transform(frozen_default=True)
def answer(cls: type[T]) -> type[T]:
    """Make a class an answer."""
    cls.__pydantic_config__ = {"alias_generator": camel}  # type: ignore[attr-defined]
    return dataclass(frozen=True)(cls)


def answer_from(source: type, names: Mapping[str, str], name: str, text: str) -> Any:
    """Return an answer with the fields of a dataclass; `names` has the name of each here."""
    hints = get_type_hints(source)
    annotations = {answered: hints[own] for own, answered in names.items()}
    members = {"__doc__": text, "__module__": __name__, "__annotations__": annotations}
    return answer(type(name, (), members))


def copy_fields(cls: type[T], source: Any, **others: Any) -> T:
    """Return an answer whose fields are the attributes of the same names, or `others`."""
    target: Any = cls
    names = [name for name, _, _ in _fields(target) if name not in others]
    return cls(**{name: getattr(source, name) for name in names}, **others)


def as_json(value: Any) -> Any:
    """Return an answer, or a part of one, as what `json.dumps` takes."""
    if is_dataclass(value):
        data, kind = {}, type(value)  # type: dict[str, Any], Any
        for name, key, is_optional in _fields(kind):
            part = getattr(value, name)
            if part is not None or not is_optional:
                data[key] = as_json(part)
        return data
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(part) for part in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value


@lru_cache
def _fields(cls: Any) -> tuple[tuple[str, str, bool], ...]:
    """The name, the key and whether it may be left out, of each field of an answer."""
    return tuple((field.name, camel(field.name), field.default is None) for field in fields(cls))
