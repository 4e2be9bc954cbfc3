"""The server serves the sign-in page while its other parts load."""

import asyncio
import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from pitasker_core.dashboard import startup
from pitasker_core.dashboard.startup import LateApp, Startup, UntilReady
from tests.cli.test_start import packages
from tests.helpers.documents import PROJECT

LATE = {"alembic", "apscheduler", "fastapi", "pandas", "psycopg", "sqlalchemy"}


def test_the_sign_in_page_needs_no_package_of_the_other_parts():
    program = "import sys, streamlit_app; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert packages(done.stdout.split()).isdisjoint(LATE)


def run(work):
    """Run a coroutine on its own thread: this thread may have a browser's event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.mark.parametrize(
    ("kind", "path", "waits"),
    [
        ("http", "/login", False),
        ("http", "/", False),
        ("http", "/api/tasks", True),
        ("http", "/metrics", True),
        ("http", "/healthz", True),
        ("http", "/_stcore/health", True),
        ("websocket", "/tasks/_stcore/stream", True),
    ],
)
def test_all_but_pages_waits_until_the_server_is_ready(monkeypatch, kind, path, waits):
    monkeypatch.setattr(startup, "_import_for_pages", lambda: None)

    async def pass_one() -> None:
        passed = asyncio.Event()

        async def app(*_: object) -> None:
            passed.set()

        starting = Startup()
        waiting = UntilReady(app, starting)
        request = asyncio.create_task(waiting({"type": kind, "path": path}, None, None))
        for _ in range(10):  # as often as a request that does not wait needs
            await asyncio.sleep(0)
        assert passed.is_set() is not waits
        starting.is_ready.set()
        await request
        assert passed.is_set()

    run(pass_one())


def test_a_server_that_cannot_load_a_part_ends_as_a_failure(environment, monkeypatch):
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)

    def fail():
        raise ImportError("broken")

    starting = Startup(LateApp(fail))
    run(starting.load(environment))
    assert ended == [1]


def test_no_request_waits_for_a_collection_of_all_modules(environment, monkeypatch):
    monkeypatch.setattr(Startup, "_load", lambda *_: None)
    gc.unfreeze()
    run(Startup().load(environment))
    assert gc.get_freeze_count()
