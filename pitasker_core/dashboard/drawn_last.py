"""Parts of a page that are drawn after the reports of actions, because they take long."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_Parts = list[tuple[DeltaGenerator, Callable[[], None]]]


def page_begins() -> None:
    """Forget the parts of a run that was interrupted."""
    st.session_state.drawn_last = []


def draw_last(draw: Callable[[], None]) -> None:
    """Draw a part here, but after the rest of the page."""
    parts: _Parts = st.session_state.drawn_last
    parts.append((st.container(), draw))


def draw_rest() -> None:
    """Draw the parts that wait."""
    parts: _Parts = st.session_state.drawn_last
    for place, draw in parts:
        with place:
            draw()
