"""The settings of a crontab as a table. What is changed in it lands in the text above, unsaved."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from pitasker_core.crontab import environment_lines
from pitasker_core.crontab.document import Document, EnvironmentLine
from pitasker_core.crontab.editable import edited, shown
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.messages import act, add_notice


def show_settings(document: Document, put: Callable[[Document], None]) -> None:
    """The settings in their order, each with how many entries it reaches.

    `put` takes the crontab with a change.
    """
    found = [
        (i, line) for i, line in enumerate(document.lines) if isinstance(line, EnvironmentLine)
    ]
    st.caption(
        "A setting acts on the entries below it, until one of the same name. "
        "Changes land in the text above, and wait there to be saved."
    )
    if found:
        _table(document, found, put)
    else:
        st.info("There are no settings: entries run with cron's own, PATH=/usr/bin:/bin and sh.")
    with (
        st.form("add_setting", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Name", placeholder="PATH", width=160)
        value = st.text_input("Value", placeholder="/usr/local/bin:/usr/bin:/bin", width=360)
        wanted = st.form_submit_button("Add", icon=":material/add:")
    if wanted and name.strip():
        new = act(environment_lines.add, document, name.strip(), value.strip())
        if new:
            put(new)
        st.rerun()


def _table(
    document: Document, found: list[tuple[int, EnvironmentLine]], put: Callable[[Document], None]
) -> None:
    key = f"settings-{hash(tuple((i, line.raw) for i, line in found))}"

    def change() -> None:
        delta: Any = st.session_state[key]
        for row, cells in delta.get("edited_rows", {}).items():
            index, old = found[int(row)]
            name = cells.get("name") or old.name
            value = act(edited, old.value, cells.get("value", shown(old.value)) or "")
            if value is None:
                continue
            new = act(environment_lines.change, document, index, name.strip(), value)
            if new:
                put(new)

    def remove() -> None:
        index, old = found[st.session_state.setting_menu["row"]]
        put(environment_lines.remove(document, index))
        add_notice("done", f"{old.name} is taken out of the text above; not saved yet.")

    column = st.column_config
    st.data_editor(
        inert(
            pd.DataFrame(
                {
                    "line": [index + 1 for index, _ in found],
                    "name": [shown(line.name) for _, line in found],
                    "value": [shown(line.value) for _, line in found],
                    "reaches": [
                        environment_lines.count_entries(document, index) for index, _ in found
                    ],
                    "menu": [["Remove"] for _ in found],
                }
            )
        ),
        key=key,
        hide_index=True,
        height="content",
        disabled=["line", "reaches"],
        on_change=change,
        alt="Settings",
        column_config={
            "line": column.NumberColumn("Line", width=60),
            "name": column.TextColumn("Name", required=True),
            "value": column.TextColumn("Value", width="large"),
            "reaches": column.NumberColumn("Entries it reaches", width=130),
            "menu": column.ButtonColumn("", key="setting_menu", on_click=remove, width=45),
        },
    )
