"""The offer to catch up on runs that were missed while the machine was off."""

import streamlit as st

from pitasker_core import tasks
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.task_actions import start_tasks
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.runs.missed import catch_up
from pitasker_core.runs.missed.catch_up import Offer


def show_offer() -> None:
    """Draw the offer, if there is one, until the tasks have run or a person declines."""
    offer = catch_up.offers(environment())
    if offer is None or st.session_state.get("offer_declined") == offer.message:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="offer"):
        st.markdown(
            f":orange[:material/power_off:] {plain(offer.message)} Run now?", width="content"
        )
        if write_button("Run now", icon=":material/play_arrow:", type="primary"):
            _run(offer)
            st.switch_page("pages/runs.py")
        if st.button("Not now", type="tertiary"):
            st.session_state.offer_declined = offer.message
            st.rerun()


def _run(offer: Offer) -> None:
    missed_tasks = [act(tasks.get, environment(), missed.task) for missed in offer.missed]
    started = start_tasks(filter(None, missed_tasks), "catchup")
    if started:
        add_notice("done", f"Started {', '.join(started)}.")
