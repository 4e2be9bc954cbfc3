"""Who is signed in on this page, and what they may do."""

from dataclasses import replace

import streamlit as st

from pitasker_core.base import cron_daemon
from pitasker_core.base.environment import Environment
from pitasker_core.server import auth
from pitasker_core.server.auth import Login, Role

ACTOR = "dashboard"


def login() -> Login | None:
    """Who is signed in. Asked at every run: signing out also ends tabs that are open."""
    # The gate has left the cookies of this site alone.
    return auth.session(Environment.from_environment(), st.context.cookies)


def environment() -> Environment:
    """The environment of this session: read-only unless somebody who may write is signed in."""
    user = login()
    may_write = user is not None and user.role is Role.WRITE
    return replace(Environment.from_environment(), read_only=not may_write)


def cron_is_alive() -> bool | None:
    """Whether cron runs; None when that is unknown. The answer may be 20 seconds old."""
    # No cron runs the crontab of a demo.
    return None if environment().demo else _cron_is_alive()


@st.cache_data(ttl=20, show_spinner=False)
def _cron_is_alive() -> bool | None:
    return cron_daemon.is_alive()


def is_phone() -> bool:
    """Whether the browser says that it is on a phone."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")
