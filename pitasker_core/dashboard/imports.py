"""Import the packages that only pages need, after the first request for a page.

pandas and Plotly take half a second and 100 MB. A server that only answers scripts never imports
them. They are imported while a person reads the login page.
"""

import gc
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]


class ImportLater:
    """An ASGI application that starts the imports at the first request for a page."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._has_begun = False

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Pass a request on."""
        await self._app(scope, receive, send)
        if not self._has_begun and scope["type"] == "http" and _is_of_a_page(scope["path"]):
            self._has_begun = True
            threading.Thread(target=import_all, daemon=True).start()


def _is_of_a_page(path: str) -> bool:
    return not path.startswith(("/api", "/_stcore", "/metrics", "/healthz"))


def import_all() -> None:
    """Import the packages, and exclude their objects from garbage collection."""
    import pandas  # noqa: F401
    import plotly.graph_objects  # noqa: F401

    gc.collect()
    gc.freeze()
