"""A choice of one of several options: buttons in a row, or a list on a phone."""

from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import streamlit as st

from pitasker_core.dashboard.session import is_phone

Option = TypeVar("Option")

_ROW = 3
"""The number of buttons in a row that a phone has room for."""


def choose(
    label: str,
    options: Iterable[Option],
    key: str,
    *,
    default: Option | None = None,
    bind: Literal["query-params"] | None = None,
    format_func: Callable[[Option], str] = str,
) -> Option:
    """Draw the choice. Without a default, the first option is chosen at first."""
    choices = list(options)
    first = choices[0] if default is None else default
    common: dict[str, Any] = {
        "format_func": format_func,
        "required": True,
        "label_visibility": "collapsed",
        "key": key,
        "bind": bind,
    }
    chosen: Option
    if is_phone() and len(choices) > _ROW:
        # With a filter there would be a field to type into, which opens the keyboard.
        chosen = st.selectbox(label, choices, choices.index(first), filter_mode=None, **common)
    else:
        chosen = st.segmented_control(label, choices, default=first, wrap=True, **common)
    return chosen
