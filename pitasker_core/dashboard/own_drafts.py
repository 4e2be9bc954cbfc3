"""The drafts of the browser that is signed in on this page."""

from contextlib import suppress
from typing import Any

import streamlit as st

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard.session import environment, login
from pitasker_core.database import drafts
from pitasker_core.database.drafts import Draft
from pitasker_core.server import auth


def load(name: str) -> Draft | None:
    """A draft of this browser."""
    return next((draft for draft in load_all(name) if draft.name == name), None)


def load_all(prefix: str) -> list[Draft]:
    """The drafts of this browser whose names begin so; none while the database is away."""
    with suppress(PiTaskerError):
        return drafts.read_drafts(environment(), _browser(), prefix)
    return []


def keep(name: str, value: dict[str, Any]) -> None:
    """Keep a draft, if it is not kept so already. Without a database it lives in this tab only."""
    kept = st.session_state.setdefault("kept drafts", {})
    if kept.get(name) == value or environment().read_only:
        return
    with suppress(PiTaskerError):
        drafts.save_draft(environment(), _browser(), name, value)
        kept[name] = value


def discard(name: str) -> None:
    """Forget a draft."""
    st.session_state.setdefault("kept drafts", {}).pop(name, None)
    with suppress(PiTaskerError):
        if not environment().read_only:
            drafts.discard_draft(environment(), _browser(), name)


def _browser() -> str:
    """The number of this browser: it outlives a session that ends."""
    ours = Environment.from_environment()
    user = login()
    return auth.browser(ours, st.context.cookies) or (user.id if user else "")
