"""The drafts of this browser."""

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
    """Return a draft of this browser, or None."""
    return next((draft for draft in load_all(name) if draft.name == name), None)


def load_all(prefix: str) -> list[Draft]:
    """Return the drafts whose names have this prefix. Empty if the database does not answer."""
    with suppress(PiTaskerError):
        loaded = drafts.read_drafts(environment(), _browser(), prefix)
        _saved().update({draft.name: draft.value for draft in loaded})
        return loaded
    return []


def keep(name: str, value: dict[str, Any]) -> None:
    """Save a draft unless it is unchanged. Without a database it exists only in this tab."""
    if _saved().get(name) == value or environment().read_only:
        return
    with suppress(PiTaskerError):
        drafts.save_draft(environment(), _browser(), name, value)
        _saved()[name] = value


def discard(name: str) -> None:
    """Delete a draft that this tab loaded or saved. Without one, the database is not asked."""
    if _saved().pop(name, None) is None or environment().read_only:
        return
    with suppress(PiTaskerError):
        drafts.discard_draft(environment(), _browser(), name)


def _saved() -> dict[str, dict[str, Any]]:
    """Return the drafts that this tab loaded or saved, as they are in the database."""
    saved: dict[str, dict[str, Any]] = st.session_state.setdefault("saved drafts", {})
    return saved


def _browser() -> str:
    """Return this browser's id, which stays the same after signing out."""
    ours = Environment.from_environment()
    user = login()
    return auth.browser(ours, st.context.cookies) or (user.id if user else "")
