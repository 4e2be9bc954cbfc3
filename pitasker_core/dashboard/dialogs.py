"""Dialogs. While one is open, the page below it is not drawn again by what happens elsewhere."""

from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from pitasker_core.dashboard.markdown import plain


def open_dialog(
    title: str,
    draw: Callable[..., None],
    *words: Any,
    width: Literal["small", "large"] = "small",
) -> None:
    """Open a dialog. Closing it draws the page again; what it held is gone."""
    st.session_state.dialog_open = True
    st.dialog(plain(title), width=width, on_dismiss="rerun")(draw)(*words)


def is_open() -> bool:
    """Whether the last whole run of the page opened a dialog."""
    return bool(st.session_state.get("dialog_open"))


def page_begins() -> None:
    """A whole run of the page closes the dialogs that it does not open again."""
    st.session_state.dialog_open = False
