"""What the server does once, before and after the sessions."""

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio.to_thread

from pitasker_core import database
from pitasker_core.errors import DatabaseError
from pitasker_core.settings import Settings

_log = logging.getLogger(__name__)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Start and migrate the database, import what pages need, and stop what was started here.

    Without a database the dashboard serves all the same: the crontab can be seen and edited.
    """
    settings = Settings.from_environment()
    started_here = False
    try:
        started_here = await anyio.to_thread.run_sync(database.start, settings)
    except DatabaseError as problem:
        _log.error("%s", problem.user_message)
    # The first visitor shall not wait for these, nor any later one for their collection.
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401

    gc.collect()
    gc.freeze()
    yield
    if started_here:
        with suppress(DatabaseError):
            await anyio.to_thread.run_sync(database.stop, settings)
