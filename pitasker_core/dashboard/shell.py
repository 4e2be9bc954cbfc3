"""The frame of every page: navigation, header, messages, and the watch for changes."""

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import pitasker_core
from pitasker_core.dashboard import dialogs, drawn_last, health, live
from pitasker_core.dashboard.header import show_header, show_health
from pitasker_core.dashboard.messages import show_messages
from pitasker_core.dashboard.problems import guarded
from pitasker_core.dashboard.session import login
from pitasker_core.reports.status import Health

_HERE = Path(__file__).parent


def run() -> None:
    """Draw the page that the address names. An error of ours becomes a banner, never a trace."""
    dialogs.page_begins()
    drawn_last.page_begins()
    if login() is not None:
        live.begin_page()
    st.set_page_config(
        # Before the navigation: browsers would fetch the icon of a page from its maker.
        page_icon=_icon(),
        layout="wide",
        menu_items={"About": f"PiTasker {pitasker_core.__version__}"},
    )
    page = st.navigation(_pages(), position="top")  # the tables need the width
    st.set_page_config(page_title=f"{page.title} · PiTasker")
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.logo(_HERE / f"logo_{theme}.svg", size="medium")
    st.html(_HERE / "page.css")
    place = show_header(page.title)
    guarded(page.run)
    if login() is not None:
        show_messages()
        drawn_last.draw_rest()
        _show_health(place)
        live.watch()


def _show_health(place: DeltaGenerator) -> None:
    """Show the health, after the page: after a change, to examine everything takes longest."""
    state = health.current()
    with place:
        show_health(state)
    icon = _icon()
    st.session_state.is_red = state is Health.RED
    if _icon() != icon:
        st.set_page_config(page_icon=_icon())


def _icon() -> Path:
    return _HERE / ("icon_red.png" if st.session_state.get("is_red") else "icon.png")


def _pages() -> list[st.Page]:
    return [
        st.Page(
            "pages/overview.py",
            title="Overview",
            icon=":material/space_dashboard:",
            default=True,
        ),
        st.Page("pages/tasks.py", title="Tasks", icon=":material/checklist:"),
        st.Page("pages/timeline.py", title="Timeline", icon=":material/view_timeline:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/history:"),
        st.Page("pages/sync.py", title="Sync", icon=":material/sync_alt:"),
        st.Page("pages/crontab.py", title="Crontab", icon=":material/edit_note:"),
        st.Page("pages/settings.py", title="Settings", icon=":material/settings:"),
        # Reached from Overview, Tasks and Sync.
        st.Page(
            "pages/import_entries.py",
            title="Import",
            icon=":material/download:",
            url_path="import",
            visibility="hidden",
        ),
    ]
