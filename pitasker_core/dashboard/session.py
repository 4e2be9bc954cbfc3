"""The session of this page: its login and its permissions."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import streamlit as st

from pitasker_core.base import cron_daemon
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.server import auth
from pitasker_core.server.auth import Login, Role

ACTOR = Actor.DASHBOARD


def login() -> Login | None:
    """Return the login, read at every run: signing out also ends open tabs."""
    # The gate passes this site's cookies on.
    return auth.session(Environment.from_environment(), st.context.cookies)


def environment() -> Environment:
    """Return the session's environment. It is read-only unless the login may write."""
    user = login()
    may_write = user is not None and user.role is Role.WRITE
    return replace(Environment.from_environment(), read_only=not may_write)


def cron_is_alive() -> bool | None:
    """Whether cron runs; None if unknown. The answer may be 20 seconds old."""
    # No cron runs the crontab of a demo.
    return None if environment().demo else _cron_is_alive()


@st.cache_data(ttl=20, show_spinner=False)
def _cron_is_alive() -> bool | None:
    return cron_daemon.is_alive()


def is_phone() -> bool:
    """Whether the browser of this session is a phone's."""
    return names_phone(st.context.headers.get("User-Agent") or "")


def names_phone(user_agent: str) -> bool:
    """Whether the User-Agent of a browser names a phone."""
    return "Mobi" in user_agent


def browser_zone() -> ZoneInfo | None:
    """Return the time zone of the browser; None where it does not say one that is known here."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else None
    except (KeyError, ValueError, OSError):
        return None
