"""The form of a new notification channel: a service, and the parts of its URL."""

import streamlit as st

from pitasker_core.dashboard.fresh_keys import begin_again, widget_key
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.notifications import channels
from pitasker_core.notifications.service_urls import SERVICES, build_url


def show() -> None:
    """Draw the form. Its fields are cleared only if the channel was added."""
    st.markdown("**Add a channel**")
    service = st.selectbox(
        "Service",
        [*SERVICES],
        format_func=lambda name: SERVICES[name].label,
        key="channel_service",
        width=300,
    )
    key = widget_key(f"channel-{service}")
    with st.form(key, border=True):
        with st.container(horizontal=True):
            name = st.text_input(
                "Name of the channel",
                placeholder="phone",
                width=220,
                key=f"{key}-name",
            )
            values = {
                part.name: st.text_input(
                    plain(part.label),
                    placeholder=part.placeholder,
                    help=plain(part.help),
                    type="password" if part.is_secret else "default",
                    autocomplete="off",
                    width=300,
                    key=f"{key}-{part.name}",
                )
                for part in SERVICES[service].parts
            }
        if service == "other":
            st.caption(
                "Apprise describes the URL of each service at "
                "[appriseit.com/services](https://appriseit.com/services/)."
            )
        is_sent = st.form_submit_button(
            "Add channel", icon=":material/add:", disabled=environment().read_only
        )
    if is_sent:
        if act(_add, service, name, values):
            begin_again(f"channel-{service}")
            add_notice("done", f"Channel {name.strip()} added. Send a test to it from its menu.")
        st.rerun()


def _add(service: str, name: str, values: dict[str, str]) -> channels.Channel:
    return channels.add(environment(), ACTOR, name, build_url(service, values))
