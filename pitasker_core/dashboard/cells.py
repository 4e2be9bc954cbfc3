"""Tables for pages. Invisible characters in cells are made visible. Pure."""

from typing import Any

import pandas as pd

from pitasker_core.base.text import visible


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


def _inert(cell: Any) -> Any:
    if isinstance(cell, str):
        return visible(cell)
    return [_inert(part) for part in cell] if isinstance(cell, list) else cell
