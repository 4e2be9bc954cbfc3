"""Dialogs. While a dialog is open, changes made elsewhere do not redraw the page."""

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from pitasker_core.dashboard.markdown import plain


def open_dialog(
    title: str,
    draw: Callable[..., None],
    *words: Any,
    width: Literal["small", "medium", "large"] = "small",
    on_dismiss: Callable[[], None] | Literal["rerun"] = "rerun",
) -> None:
    """Open a dialog. Closing it discards its contents and draws the page again.

    Streamlit allows one dialog: while one is open, a second one does not open.
    """
    if is_open():
        return
    st.session_state.dialog_open = True
    st.dialog(plain(title), width=width, on_dismiss=on_dismiss)(draw)(*words)


def is_open() -> bool:
    """Whether the last whole run of the page opened a dialog."""
    return bool(st.session_state.get("dialog_open"))


def page_begins() -> None:
    """Note that a run of the whole page begins: it closes dialogs that it does not open again."""
    st.session_state.dialog_open = False
