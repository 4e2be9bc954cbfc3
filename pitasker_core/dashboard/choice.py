"""A choice of one of several options: buttons in a row, or a list on a phone."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import streamlit as st

from pitasker_core.base import clock
from pitasker_core.dashboard.session import is_phone

Option = TypeVar("Option")

_ROW = 3
"""The number of buttons in a row that a phone has room for."""

_PERIODS = {
    "Day": timedelta(days=1),
    "Week": timedelta(days=7),
    "Month": timedelta(days=30),
    "Year": timedelta(days=365),
    "All": None,
}


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


def choose_since(key: str) -> datetime | None:
    """Draw the choice of a period and return its start; None for all. The address keeps it."""
    length = _PERIODS[choose("Period", _PERIODS, key, default="Month", bind="query-params")]
    return clock.now() - length if length else None
