"""The columns of the table of tasks: their order, widths and kinds."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pitasker_core.dashboard import states, task_grid
from pitasker_core.dashboard.cells import chips

_COLUMNS = (
    *("chosen", "on", "name", "menu", "sync", "schedule", "words", "next_run", "result"),
    *("last_run", "history", "command", "labels"),
)
"""The columns shown at first. The others are in the table's menu."""

_PHONE_COLUMNS = (
    *("name", "on", "result", "menu", "schedule", "words", "next_run", "sync", "last_run"),
    *("history", "command", "labels", "chosen"),
)
"""The same columns on a phone. The first four fit on the screen."""

_ROW, _PHONE_ROW = 38, 46
"""Heights of a row in pixels. A thumb needs 44."""


def order(is_phone: bool) -> tuple[str, ...]:
    """Return the columns that are shown at first, from left to right."""
    return _PHONE_COLUMNS if is_phone else _COLUMNS


def row_height(is_phone: bool) -> int:
    """Return the height of a row in pixels."""
    return _PHONE_ROW if is_phone else _ROW


def columns(is_phone: bool, on_menu: Callable[[], None] | None = None) -> dict[str, Any]:
    """Return the columns of the table. `on_menu` is called when a row's menu is used."""
    column = st.column_config
    # On a phone they fit beside each other on 360 pixels.
    name, on, result, menu = (122, 60, 92, 54) if is_phone else (180, 66, 95, 58)
    return {
        "chosen": column.CheckboxColumn("Select", width=84, help="Select tasks for an action."),
        "on": column.CheckboxColumn(
            "On",
            width=on,
            help="Off: paused, and kept in the crontab as a comment. Takes effect at once.",
        ),
        "name": column.TextColumn("Name", max_chars=200, width=name, pinned=is_phone),
        "menu": column.ButtonColumn("Menu", key="row_menu", on_click=on_menu, width=menu),
        "sync": chips("Sync", states.SYNC, 150),
        "schedule": column.TextColumn(
            "Schedule",
            help="Five fields (minute hour day month weekday), a nickname like @daily, or words.",
            width=110,
        ),
        "words": column.TextColumn("Meaning", width=180),
        "next_run": column.DatetimeColumn("Next run", format="ddd D MMM, HH:mm", width=135),
        "result": chips("Last run", {**states.RUN_CHIPS, task_grid.NEVER_RAN: "gray"}, result),
        "last_run": column.TextColumn("When", width=85),
        "history": column.BarChartColumn(
            f"Last {task_grid.HISTORY} runs", width=120, y_min=0, help="The duration of each run."
        ),
        "command": column.TextColumn("Command", width=300),
        "labels": column.ListColumn("Labels", width=110),
        "in_crontab": column.CheckboxColumn(
            "In crontab", width=95, help="Off: only in the database. Cron does not run it."
        ),
        "detail": column.TextColumn("Reason", width=200),
        "source": column.TextColumn("Source", width=90),
        "number": column.NumberColumn("Id", width=60),
    }
