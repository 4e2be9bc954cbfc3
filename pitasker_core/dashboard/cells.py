"""Tables for pages: inert cells, and columns of coloured chips."""

from collections.abc import Mapping
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from pitasker_core.base.text import Code, Text, visible
from pitasker_core.dashboard.states import Color

Label = TypeVar("Label", bound=str)


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """Make every text in a table visible, also in lists. Returns the same table."""
    changed = {
        name: [_inert(cell) for cell in column]
        for name, column in table.items()
        if column.dtype == object or pd.api.types.is_string_dtype(column)
    }
    for name, cells in changed.items():
        table[name] = pd.Series(cells, table.index, dtype=table[name].dtype)
    return table


def sentence(text: str) -> str:
    """Return a text of PiTasker for a cell, which cannot show code: in quotation marks instead.

    A table of pandas forgets which parts of a text are code, so this comes before it.
    """
    parts = text.parts if isinstance(text, Text) else (text,)
    return "".join(f"“{part}”" if isinstance(part, Code) else part for part in parts)


def chips(label: str, colors: Mapping[Label, Color], width: int) -> Any:
    """Return a column whose cells are lists of texts, each shown in its colour."""
    return st.column_config.MultiselectColumn(
        label, options=[str(text) for text in colors], color=list(colors.values()), width=width
    )


def _inert(cell: Any) -> Any:
    if isinstance(cell, str):
        return visible(cell)
    return [_inert(part) for part in cell] if isinstance(cell, list) else cell
