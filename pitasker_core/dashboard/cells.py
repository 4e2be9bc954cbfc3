"""Tables for pages: inert cells, and columns of coloured chips."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa
import streamlit as st

from pitasker_core.base.text import Code, Text, visible
from pitasker_core.dashboard.states import Color

Label = TypeVar("Label", bound=str)

TEXTS = pd.ArrowDtype(pa.list_(pa.string()))
NUMBERS = pd.ArrowDtype(pa.list_(pa.float64()))
"""Types of columns whose cells are lists. Without a type, a column of empty lists has another type
than the same column with a value. Streamlit then draws a new table, and a person loses the focus
and the place in it."""

_ROW_PIXELS = 35


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """Make every text in a table visible, also in lists. Returns the same table."""
    for name, column in table.items():
        if column.dtype in (object, TEXTS) or pd.api.types.is_string_dtype(column):
            cells = column.tolist()
            shown = [_inert(cell) for cell in cells]
            # Replacing a column takes longer than all else.
            if shown != cells:
                table[name] = pd.Series(shown, table.index, dtype=column.dtype)
    return table


def show_table(
    cells: Any,
    alt: str,
    columns: Mapping[str, Any] | None = None,
    *,
    rows: int = 12,
    **options: Any,
) -> None:
    """Draw a table of inert texts. It scrolls if it has more than so many rows.

    `cells` are rows or columns, as pandas takes them. `alt` says what the table shows.
    """
    table = pd.DataFrame(cells)
    st.dataframe(
        inert(table),
        hide_index=True,
        height="content" if len(table) <= rows else _ROW_PIXELS * (rows + 1) + 5,
        alt=alt,
        column_config=columns,
        **options,
    )


def show_choices(
    cells: Any,
    alt: str,
    columns: Mapping[str, Any],
    *,
    key: str,
    chosen: int | None,
    choose: Callable[[int | None], None],
    **options: Any,
) -> None:
    """Draw a table in which a person chooses a row. `choose` gets its index, or None for none."""

    def select() -> None:
        rows = st.session_state[key].selection.rows
        choose(rows[0] if rows else None)

    show_table(
        cells,
        alt,
        columns,
        key=key,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [] if chosen is None else [chosen]}},
        on_select=select,
        **options,
    )


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
