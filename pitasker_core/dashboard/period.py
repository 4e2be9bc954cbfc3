"""The choice of a period."""

from datetime import datetime, timedelta

from pitasker_core.base import clock
from pitasker_core.dashboard.choice import choose

_PERIODS = {
    "Day": timedelta(days=1),
    "Week": timedelta(days=7),
    "Month": timedelta(days=30),
    "Year": timedelta(days=365),
    "All": None,
}


def choose_since(key: str) -> datetime | None:
    """Draw the choice and return the period's start; None for all. It is kept in the address."""
    length = _PERIODS[choose("Period", _PERIODS, key, default="Month", bind="query-params")]
    return clock.now() - length if length else None
