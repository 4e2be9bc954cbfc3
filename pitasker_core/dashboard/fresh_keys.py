"""Keys of widgets that can begin again, so that none keeps a value that was saved or discarded."""

import streamlit as st


def widget_key(name: str) -> str:
    """Return the key of a widget, or the prefix of the keys of a form's widgets."""
    return f"{name}-{st.session_state.get(f'generation-{name}', 0)}"


def begin_again(name: str) -> None:
    """Give the widgets new keys."""
    generation = f"generation-{name}"
    st.session_state[generation] = st.session_state.get(generation, 0) + 1
