"""The line at the top of every page: its title, its health, whose crontab it is, and the menu."""

from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import pitasker_core
from pitasker_core.base import clock
from pitasker_core.dashboard.command_box import show_search_button
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.session import cron_is_alive, environment, login
from pitasker_core.dashboard.states import HEALTH, Badge
from pitasker_core.reports.status import Health

_CRON: dict[bool | None, Badge] = {
    True: ("cron running", "green", ":material/check_circle:"),
    False: ("cron not running", "red", ":material/error:"),
    None: ("cron status unknown", "gray", ":material/help:"),
}

# A form, because a link can be followed unasked; in this tab, which would stay open otherwise.
_SIGN_OUT = """<form class="sign-out" method="post" action="/logout" target="_self">
<button>Sign out</button></form>"""


def show_header(title: str) -> DeltaGenerator:
    """Draw the header of a page, and return the place of the health in it.

    `title` is one of the navigation's.
    """
    with _line("header", "stretch", "distribute"):
        with _line("title"):
            st.title(title, anchor=False, width="content")
            place = st.container(width="content")
        if login() is not None:
            with _line("whose"):
                _show_host()
    return place


def _line(
    key: str,
    width: Literal["stretch", "content"] = "content",
    alignment: Literal["left", "distribute"] = "left",
) -> DeltaGenerator:
    return st.container(
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment=alignment,
        gap="small",
        width=width,
        key=key,
    )


def show_health(state: Health | None) -> None:
    """Draw the badge of a health that is not green."""
    if state is not None and state is not Health.GREEN:
        label, color, icon = HEALTH[state]
        st.badge(label, color=color, icon=icon)


def _show_host() -> None:
    zone = clock.system_zone()
    when = f"{clock.now().astimezone(zone):%a %d %b %H:%M} ({zone.key})"
    user = plain(str(environment().identity))
    st.caption(f":material/dns: {user} · :material/schedule: {plain(when)}", width="content")
    if environment().read_only:
        st.badge("Read-only", color="orange", icon=":material/visibility:")
    if environment().demo:
        st.badge(
            "demo",
            color="blue",
            icon=":material/toys:",
            help="A private crontab. Nothing here touches yours, and all of it is gone when the "
            "demo ends.",
        )
    else:
        label, color, icon = _CRON[cron_is_alive()]
        st.badge(label, color=color, icon=icon)
    show_search_button()
    with st.popover(":material/menu:", type="tertiary", key="menu-popover", help="Menu"):
        st.markdown(f"**PiTasker {pitasker_core.__version__}**")
        st.caption("The theme is in the menu ⋮ at the top right.")
        st.link_button("API documentation", "/api/docs", icon=":material/api:", type="tertiary")
        st.page_link("pages/settings.py", label="Settings", icon=":material/settings:")
        st.html(_SIGN_OUT)
