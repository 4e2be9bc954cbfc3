"""What the server does once, before and after the sessions."""

import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio.to_thread
import streamlit as st
import uvicorn
from streamlit.runtime.pages_manager import PagesManager

from pitasker_core import database
from pitasker_core.base import log, terminal
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, PiTaskerError
from pitasker_core.server import auth, connections, instances, launch, sites
from pitasker_core.server.background import Background
from pitasker_core.sync import first_look

_FILES = 4096
"""Open files that the server may have, where it is allowed to: connections are files too."""

_log = logging.getLogger(__name__)

# Before its first run of the app Streamlit takes each file in pages/ for a page of its own, so the
# first visitor of /tasks would get that file alone, without header and navigation.
PagesManager.uses_pages_directory = False


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Start and migrate the database, and stop what was started here.

    Without a database the dashboard serves all the same: the crontab can be seen and edited.
    """
    environment = Environment.from_environment()
    environment.check_home()
    host = st.get_option("server.address") or "0.0.0.0"  # noqa: S104 - Streamlit's meaning of none
    port = st.get_option("server.port")
    launch.refuse_open_door(environment, host)
    if environment.base_url:
        sites.parse_base_url(environment.base_url)
    log.start(environment)
    log.limit_repeats_of_others()
    _limit_connections()
    started_here = False
    try:
        started_here = await anyio.to_thread.run_sync(database.start, environment)
        await anyio.to_thread.run_sync(first_look.keep_what_is_there, environment)
    except PiTaskerError as problem:
        _log.error("%s", problem.user_message)
    _answer_at_once()
    background = Background(environment)
    if not environment.demo:  # there, what was changed by hand waits for whoever plays
        background.start()
    addresses = launch.list_addresses(host, port, environment.base_url)
    with instances.registered(environment, "dashboard", port, addresses):
        _announce(environment, addresses)
        yield
    if not environment.demo:
        await anyio.to_thread.run_sync(background.stop)
    if started_here:
        with suppress(DatabaseError):
            await anyio.to_thread.run_sync(database.stop, environment)


def _announce(environment: Environment, addresses: list[str]) -> None:
    what = "the demo" if environment.demo else "your crontab"
    terminal.say(f"PiTasker serves {what} at {' and '.join(addresses)} (Ctrl-C ends it).")
    if auth.has_password(environment):
        return
    if _is_journal(sys.stdout.fileno()):
        # Others may read the journal: the groups adm and systemd-journal.
        terminal.say("To sign in: `./pitasker link` prints a link.")
    else:
        link = f"{addresses[0]}/login?token={auth.new_link(environment)}"
        terminal.say(f"Sign in, once, with {link}")


def _is_journal(output: int) -> bool:
    """Whether what is written goes to systemd's journal (systemd.exec(5), JOURNAL_STREAM)."""
    with suppress(OSError):
        file = os.fstat(output)
        return os.environ.get("JOURNAL_STREAM") == f"{file.st_dev}:{file.st_ino}"
    return False


def _limit_connections() -> None:
    """Give uvicorn our limits of connections.

    Streamlit makes its configuration and hands it to nobody. The server is the owner of the
    method that handles signals; it looks up the protocol for each connection.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(server, uvicorn.Server):
        server.config.http_protocol_class = connections.limited()
    else:
        _log.warning("This server is not uvicorn: its connections have no limits.")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))


def _answer_at_once() -> None:
    """Let no answer wait for the other side's acknowledgement: 40 ms for each request of a script.

    Python does this by itself for sockets that name their protocol; the one that Streamlit listens
    on does not. What is set there is inherited by every connection.
    """
    for entry in list(Path("/proc/self/fd").iterdir()):
        # Most of these are no sockets, or gone by now: they refuse, and nothing is done to them.
        with suppress(OSError), socket.fromfd(int(entry.name), socket.AF_INET, 0) as found:
            if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
