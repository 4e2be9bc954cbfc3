"""The choice of a period."""

from datetime import datetime, timedelta

import streamlit as st

from pitasker_core.base import clock

_PERIODS = {
    "Day": timedelta(days=1),
    "Week": timedelta(days=7),
    "Month": timedelta(days=30),
    "Year": timedelta(days=365),
    "All": None,
}


def choose_since(key: str) -> datetime | None:
    """Draw the choice and return the period's start; None for all. It is kept in the address."""
    name = st.segmented_control(
        "Period",
        list(_PERIODS),
        default="Month",
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    length = _PERIODS[name]
    return clock.now() - length if length else None
