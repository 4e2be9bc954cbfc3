"""Start and stop the server's parts, once, before and after all sessions."""

import asyncio
import logging
import os
import resource
import shlex
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio.to_thread
import streamlit as st
import uvicorn
from streamlit.runtime.pages_manager import PagesManager

from pitasker_core.base import log, terminal
from pitasker_core.base.environment import Environment
from pitasker_core.dashboard.startup import Startup
from pitasker_core.server import auth, connections, instances, launch, sites

_FILES = 4096
"""The number of open files that the server asks for. Connections are files too."""

_log = logging.getLogger(__name__)

# Before the first run of the app, Streamlit serves each file in pages/ as a page. The first visitor
# of /tasks would get that file alone, without header and navigation.
PagesManager.uses_pages_directory = False


@asynccontextmanager
async def lifespan(startup: Startup, _app: Any) -> AsyncIterator[None]:
    """Start the server's parts, and stop them. They load while the sign-in page is served."""
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
    _answer_at_once()
    addresses = launch.list_addresses(host, port, environment.base_url)
    with instances.registered(environment, "dashboard", port, addresses):
        loading = asyncio.create_task(startup.load(environment))
        _announce(environment, addresses)
        yield
        await loading
    await anyio.to_thread.run_sync(startup.stop)


def _announce(environment: Environment, addresses: list[str]) -> None:
    what = "the demo" if environment.demo else "your crontab"
    terminal.say(f"PiTasker serves {what} at {' and '.join(addresses)} (Ctrl-C ends it).")
    if auth.has_password(environment):
        return
    if _is_passed_on(sys.stdout.fileno()):
        home = f"PITASKER_HOME={shlex.quote(str(environment.home))} " if environment.demo else ""
        terminal.say(f"To sign in: `{home}./pitasker link` prints a link.")
    else:
        link = f"{addresses[0]}/login?token={auth.new_link(environment)}"
        terminal.say(f"Sign in, once, with {link}")


def _is_passed_on(output: int) -> bool:
    """Whether others may read output: it goes to a pipe, or to systemd's journal.

    Cron mails what an @reboot entry writes to its pipe. The groups adm and systemd-journal may read
    the journal (systemd.exec(5), JOURNAL_STREAM).
    """
    with suppress(OSError):
        file = os.fstat(output)
        return (
            stat.S_ISFIFO(file.st_mode)
            or os.environ.get("JOURNAL_STREAM") == f"{file.st_dev}:{file.st_ino}"
        )
    return False


def _limit_connections() -> None:
    """Set our limits of connections in uvicorn.

    Streamlit gives no access to uvicorn's server. The server owns the method that handles SIGTERM,
    so it is found there. It looks up the protocol class for each connection.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(server, uvicorn.Server):
        server.config.http_protocol_class = connections.limited()
    else:
        _log.warning("This server is not uvicorn: its connections have no limits.")
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _FILES if limit == resource.RLIM_INFINITY else min(_FILES, limit)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, limit))


def _answer_at_once() -> None:
    """Send answers without waiting for acknowledgements, which takes 40 ms per request.

    asyncio sets TCP_NODELAY only for sockets that name their protocol. Streamlit's listening socket
    does not. Connections inherit the option from the listening socket.
    """
    for entry in list(Path("/proc/self/fd").iterdir()):
        # Most of these are not sockets, or closed by now: they raise OSError.
        with suppress(OSError), socket.fromfd(int(entry.name), socket.AF_INET, 0) as listener:
            if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
