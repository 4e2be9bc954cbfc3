"""Serve the sign-in page at once, and load everything else meanwhile.

The imports of the database, the API and the background work take a second. Requests for them wait
until they are ready. pandas and Plotly take another half second and 100 MB. They are imported
after the first request for a page, while a person reads the sign-in page. A server that only
answers scripts never imports them.
"""

import asyncio
import gc
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import cached_property

import anyio.to_thread

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, PiTaskerError
from pitasker_core.server.web.gate import App, Receive, Scope, Send

_log = logging.getLogger(__name__)


class LateApp:
    """An ASGI application that is made while the server already serves."""

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make

    @cached_property
    def app(self) -> App:
        """The application, made at the first use."""
        return self._make()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        await self.app(scope, receive, send)


class Startup:
    """Loads and starts the parts of a server, and stops them."""

    def __init__(self, *late: LateApp) -> None:
        self.is_ready = asyncio.Event()
        self.has_imported_for_pages = asyncio.Event()
        self._late = late
        self._parts = ExitStack()

    async def load(self, environment: Environment) -> None:
        """Load and start all parts, or end the process with status 1.

        Without a database, the dashboard still edits the crontab.
        """
        try:
            await anyio.to_thread.run_sync(self._load, environment)
        except Exception:
            _log.exception("PiTasker could not start.")
            await anyio.to_thread.run_sync(self.stop)
            os._exit(1)  # systemd starts it again; an end by SIGTERM would count as wanted
        self.is_ready.set()
        await anyio.to_thread.run_sync(_exclude_from_garbage_collection)

    def stop(self) -> None:
        """Stop all parts, and the database if it was started here."""
        self._parts.close()

    async def import_for_pages(self) -> None:
        """Import what only pages need, after all else."""
        await self.is_ready.wait()
        await anyio.to_thread.run_sync(_import_for_pages)
        self.has_imported_for_pages.set()

    def _load(self, environment: Environment) -> None:
        # Before the second thread starts: while one thread imports a package, another can see an
        # incomplete one.
        from pitasker_core import database  # noqa: F401
        from pitasker_core.sync import first_look  # noqa: F401

        with ThreadPoolExecutor(1) as second:
            database_starts = second.submit(self._start_database, environment)
            for late in self._late:
                _ = late.app
            from pitasker_core.server import local_answers
            from pitasker_core.server.background import Background

            database_starts.result()
        if not environment.demo:  # in a demo, a background sync would remove what a person tries
            background = Background(environment)
            background.start()
            self._parts.callback(background.stop)
        self._parts.enter_context(local_answers.answering(environment))

    def _start_database(self, environment: Environment) -> None:
        from pitasker_core import database
        from pitasker_core.sync import first_look

        try:
            if database.start(environment):
                self._parts.callback(_stop_database, environment)
            first_look.keep_what_is_there(environment)
        except PiTaskerError as problem:
            _log.error("%s", problem.user_message)


class UntilReady:
    """An ASGI application in which all but pages waits until the server is ready."""

    def __init__(self, app: App, startup: Startup) -> None:
        self._app = app
        self._startup = startup
        self._importing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        is_page = scope["type"] == "http" and _is_of_a_page(scope["path"])
        if scope["type"] == "websocket" or (scope["type"] == "http" and not is_page):
            await self._startup.is_ready.wait()
        await self._app(scope, receive, send)
        if is_page and self._importing is None:
            self._importing = asyncio.create_task(self._startup.import_for_pages())


def _is_of_a_page(path: str) -> bool:
    return not path.startswith(("/api", "/_stcore", "/metrics", "/healthz"))


def _stop_database(environment: Environment) -> None:
    from pitasker_core import database

    with suppress(DatabaseError):
        database.stop(environment)


def _import_for_pages() -> None:
    """Import the packages, and exclude their objects from garbage collection."""
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401

    _exclude_from_garbage_collection()


def _exclude_from_garbage_collection() -> None:
    """Let collections skip all objects of the modules.

    A collection with them takes 0.1 s, and every eighth edit of a crontab with 1,000 entries
    caused one.
    """
    gc.collect()
    gc.freeze()
