"""Detect changes made elsewhere: in another tab, by the command line, by `crontab -e`, by cron.

A server reads a version at most every `FRESH` seconds, for all open pages. Each open page compares
the version, and is drawn again after a change.
"""

import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache

import streamlit as st
from sqlalchemy import text

from pitasker_core import database
from pitasker_core.base import local_changes
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import dialogs
from pitasker_core.dashboard.session import login
from pitasker_core.sync import service
from pitasker_core.sync.install import digest

EVERY = 4.0
"""Seconds between two comparisons by a page."""

FRESH = 1.5
"""Seconds for which a version is reused, for all pages of a server."""

# Row-level security limits these queries to our crontab.
_QUERY = text("""
    select
        (select max(id) from events) as event,
        (select max(id) from sync_operations) as operation,
        (select max(id) from runs) as run,
        (select count(*) from runs where state = 'running') as running,
        (select max(ended_at) from runs where started_at > now() - interval '1 day') as ended,
        (select sum(version) from tasks) as tasks,
        (select max(last_run) from tasks) as last_run,
        (select max(updated_at) from settings) as settings,
        (select max(updated_at) from state where key = 'dismissed runs') as dismissed
""")


@dataclass
class _Watcher:
    """The version that a server read last."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    looked_at: float = 0.0
    version: str = ""


@lru_cache(maxsize=4)
def _watcher(environment: Environment) -> _Watcher:
    return _Watcher()


def version(environment: Environment) -> str:
    """Return a text that changes with crontab and database. It may be `FRESH` seconds old."""
    watcher = _watcher(environment)
    if time.monotonic() - watcher.looked_at < FRESH:
        return watcher.version
    if watcher.lock.acquire(blocking=not watcher.version):
        try:
            if time.monotonic() - watcher.looked_at >= FRESH:
                version = _look(environment)
                if version != watcher.version:
                    # What was computed before must not be shown with the new version.
                    local_changes.note()
                watcher.version = version
                watcher.looked_at = time.monotonic()
        finally:
            watcher.lock.release()
    return watcher.version


def expire(environment: Environment) -> None:
    """Read the version again at the next call, after an action."""
    _watcher(environment).looked_at = 0.0


def _look(environment: Environment) -> str:
    parts = []
    try:
        parts.append(digest(service.program(environment).read()) or "none")
    except PiTaskerError as problem:
        parts.append(problem.code)
    try:
        with database.session(environment) as session:
            parts += map(str, session.execute(_QUERY).one())
    except PiTaskerError as problem:
        parts.append(problem.code)
    return " ".join(map(str, parts))


def begin_page() -> None:
    """Remember the version before the page reads anything, so that no change is overlooked."""
    st.session_state.drawn_version = _now()


@st.fragment(run_every=EVERY)
def watch() -> None:
    """Draw the page again after a change elsewhere, and every minute for its clock."""
    if login() is None:
        st.rerun()
    now = _now()
    # The session's state comes last: reading it lets Streamlit draw another page that was asked for
    # in the meantime, which `rerun` would replace by this one.
    if not dialogs.is_open() and st.session_state.get("drawn_version") != now:
        st.rerun()


def _now() -> tuple[str, int]:
    return version(Environment.from_environment()), int(time.time() // 60)
