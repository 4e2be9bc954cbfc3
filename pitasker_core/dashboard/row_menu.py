"""The menu of a table's rows, beside the table.

A cell with a button takes no key and is too small for a thumb.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from pitasker_core.base.text import visible

_NOTHING = ("Nothing",)
"""A menu must have an option, also a disabled one."""


def show_row_menu(
    what: str,
    names: Sequence[str],
    offers: Sequence[Sequence[str]],
    choose: Callable[[int, str], None],
) -> None:
    """Draw a field that selects a row, and a menu with the offers of that row.

    `what` names a row, such as "token". `choose` is called with the row and the chosen offer.
    """
    # Other rows get another field: it must not keep the number of a row that moved.
    key = f"row-{what}-{hash(tuple(names))}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        row = st.selectbox(
            f"Choose a {what}",
            range(len(names)),
            index=None,
            format_func=lambda row: visible(names[row]),
            placeholder=f"Choose a {what}",
            label_visibility="collapsed",
            width=300,
            key=key,
        )
        offered = offers[row] if row is not None else ()
        chosen = st.menu_button(
            "Actions", offered or _NOTHING, key=f"{key}-actions", disabled=not offered
        )
    if chosen and row is not None:
        choose(row, chosen)
        st.rerun()
