"""The environment lines of a crontab as a table. A change is made in the text above, unsaved."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from pitasker_core.crontab import environment_lines
from pitasker_core.crontab.document import Document, EnvironmentLine
from pitasker_core.crontab.editable import edited, shown
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.row_menu import show_row_menu

_REMOVE = "Remove"


def show_environment_lines(document: Document, put: Callable[[Document], None]) -> None:
    """Draw the environment lines in order, each with the number of entries that it affects.

    `put` is called with the changed crontab.
    """
    lines = [
        (i, line) for i, line in enumerate(document.lines) if isinstance(line, EnvironmentLine)
    ]
    st.caption(
        "An environment line affects the entries below it, up to the next line of the same name. "
        "A change is made in the text above, and is not saved yet."
    )
    if lines:
        _table(document, lines, put)
    else:
        st.info(
            "There are no environment lines. Entries run by sh, with cron's PATH=/usr/bin:/bin."
        )
    with (
        st.form("add_environment_line", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Name", placeholder="PATH", width=160)
        value = st.text_input("Value", placeholder="/usr/local/bin:/usr/bin:/bin", width=360)
        is_sent = st.form_submit_button("Add", icon=":material/add:")
    if is_sent and name.strip():
        new = act(environment_lines.add, document, name.strip(), value.strip())
        if new:
            put(new)
        st.rerun()


def _table(
    document: Document, lines: list[tuple[int, EnvironmentLine]], put: Callable[[Document], None]
) -> None:
    key = f"environment-lines-{hash(tuple((i, line.raw) for i, line in lines))}"

    def change() -> None:
        delta: Any = st.session_state[key]
        for row, cells in delta.get("edited_rows", {}).items():
            index, old = lines[int(row)]
            name = cells.get("name") or old.name
            value = act(edited, old.value, cells.get("value", shown(old.value)) or "")
            if value is None:
                continue
            new = act(environment_lines.change, document, index, name.strip(), value)
            if new:
                put(new)

    def remove_clicked() -> None:
        remove(st.session_state.environment_menu["row"], _REMOVE)

    def remove(row: int, offer: str) -> None:
        index, old = lines[row]
        put(environment_lines.remove(document, index))
        add_notice("done", f"{old.name} was removed from the text above. Not saved yet.")

    column = st.column_config
    st.data_editor(
        inert(
            pd.DataFrame(
                {
                    "line": [index + 1 for index, _ in lines],
                    "name": [shown(line.name) for _, line in lines],
                    "value": [shown(line.value) for _, line in lines],
                    "reaches": [
                        environment_lines.count_entries(document, index) for index, _ in lines
                    ],
                    "menu": [[_REMOVE] for _ in lines],
                }
            )
        ),
        key=key,
        hide_index=True,
        height="content",
        disabled=["line", "reaches"],
        on_change=change,
        alt="Environment lines",
        column_config={
            "line": column.NumberColumn("Line", width=60),
            "name": column.TextColumn("Name", required=True),
            "value": column.TextColumn("Value", width="large"),
            "reaches": column.NumberColumn("Entries it reaches", width=130),
            "menu": column.ButtonColumn(
                "Menu", key="environment_menu", on_click=remove_clicked, width=58
            ),
        },
    )
    names = [f"Line {index + 1}: {shown(line.name)}" for index, line in lines]
    show_row_menu("line", names, [[_REMOVE]] * len(lines), remove)
