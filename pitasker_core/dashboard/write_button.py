"""Buttons of actions that change something."""

from typing import Any

import streamlit as st

from pitasker_core.dashboard.session import environment


def write_button(label: str, *, disabled: bool = False, **options: Any) -> bool:
    """Draw a button as `st.button` does. It is off in a session that may only read."""
    return st.button(label, disabled=disabled or environment().read_only, **options)
