"""Our script for every page, and the address where it asks why a websocket was refused."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from pitasker_core.server.web.gate import CONNECTION, PAGE_SCRIPT

_SCRIPT = Path(__file__).with_name("page.js")


def routes() -> list[Route]:
    """The routes of our own script."""
    return [
        Route(PAGE_SCRIPT, _script, methods=["GET"]),
        Route(CONNECTION, _connection, methods=["POST"]),
    ]


def _script(request: Request) -> Response:
    return FileResponse(_SCRIPT, media_type="text/javascript")


def _connection(request: Request) -> Response:
    # A request that gets here passed the gate, as a websocket would.
    return Response(status_code=204)
