"""A preview of the table of tasks, to read while the page loads.

Streamlit draws its table about a second after a page was asked for, and on a Pi later. The first
rows are in the HTML of the page, so they are there at once. preview.js removes them when the table
is drawn.
"""

from html import escape
from typing import Any

import pandas as pd

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import task_columns, task_grid
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.session import names_phone
from pitasker_core.dashboard.task_grid import Shown

ROWS = 20
"""More rows than most screens show."""


def make(user_agent: str) -> str:
    """Return the preview as HTML, or "" if there are no tasks to be read: the page says why."""
    try:
        listing = tasks.current(Environment.from_environment())
    except PiTaskerError:
        return ""
    shown = Shown(listing, {}, {}, clock.now(), clock.system_zone())
    return html(shown, is_phone=names_phone(user_agent)) if listing.tasks else ""


def html(shown: Shown, *, is_phone: bool) -> str:
    """Return the first rows as an inert HTML table, where and how the page has them.

    Edits that are not applied yet, and bar charts, are only in the real table.
    """
    table = inert(task_grid.frame(task_grid.rows(shown)[:ROWS], shown, menu=()))
    order, columns = task_columns.order(is_phone), task_columns.columns(is_phone)
    configs = [getattr(columns[name], "config", columns[name]) for name in order]
    heads = (f'<th style="width:{config["width"]}px">{config["label"]}' for config in configs)
    rows = zip(*(table[name] for name in order), strict=True)
    lines = (
        f'<tr style="height:{task_columns.row_height(is_phone)}px">'
        + "".join(f"<td>{escape(_text(cell))}" for cell in row)
        for row in rows
    )
    width = sum(config["width"] for config in configs)
    return (
        # Screen readers read the real table.
        f'<div id="preview" aria-hidden="true" class="{"phone" if is_phone else ""}">'
        f"<style>{_STYLE}</style><div>"
        f'<table style="min-width:{width}px"><tr>{"".join([*heads, *lines])}</table></div></div>'
    )


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "✓" if cell else ""
    if isinstance(cell, list):
        return ", ".join(cell)
    if isinstance(cell, str):
        return cell
    return "" if pd.isna(cell) else f"{cell:%a} {cell.day} {cell:%b, %H:%M}"


# The colours are those of .streamlit/config.toml.
_STYLE = """
#preview { position: fixed; inset: 229px 0 0; padding: 0 75px; overflow: hidden; z-index: 1;
  color-scheme: var(--preview-scheme, light dark);
  background: light-dark(#fbfbfa, #111615); color: light-dark(#0f1413, #e6ecea);
  font: 13px/1 "Source Sans", sans-serif; --line: light-dark(#e8ebea, #26302e); }
#preview.phone { top: 305px; }
#preview > div { border: 1px solid var(--line); border-radius: 9px; overflow: hidden; }
#preview table { border-collapse: collapse; table-layout: fixed; width: 100%; }
#preview :is(th, td) { box-sizing: border-box; padding: 0 8px; text-align: left; font-weight: 400;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
  border: 0 solid var(--line); border-width: 0 1px 1px 0; }
#preview th { height: 35px; background: light-dark(#f4f6f5, #18201e);
  color: light-dark(#4a5451, #a9b4b1); }
@media (max-width: 864px) { #preview { padding: 0 15px; } }
"""
