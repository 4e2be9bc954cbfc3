"""Enter in a text field, also when the field has sent its text already."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

# A text field with `live` sends nothing when Enter is pressed after its pause. Streamlit's own
# handler runs first, so that the text reaches the server before the press.
_WATCH = st.components.v2.component(
    "enter_key",
    html="<span></span>",
    js=(Path(__file__).parent / "enter_key.js").read_text(),
)


def watch_enter(container: str, accept: Callable[[str], None]) -> None:
    """Call `accept` with the text of the first field in a container when Enter is pressed in it."""
    key = f"enter-{container}"

    def pressed() -> None:
        if typed := st.session_state[key].pressed:
            accept(typed)

    _WATCH(key=key, data={"container": container}, height=0, on_pressed_change=pressed)
