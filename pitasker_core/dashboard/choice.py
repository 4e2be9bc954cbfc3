"""A choice of one of several options: buttons in a row, or a list on a phone."""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

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
    chosen: Option
    if is_phone() and len(choices) > _ROW:
        chosen = st.selectbox(
            label,
            choices,
            choices.index(first),
            format_func=format_func,
            required=True,
            # A field to type into would open the keyboard.
            filter_mode=None,
            label_visibility="collapsed",
            key=key,
            bind=bind,
        )
    else:
        chosen = st.segmented_control(
            label,
            choices,
            default=first,
            format_func=format_func,
            required=True,
            label_visibility="collapsed",
            key=key,
            bind=bind,
            wrap=True,
        )
    return chosen
