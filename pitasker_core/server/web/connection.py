"""The address where a page asks why its websocket was refused."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pitasker_core.server.web.gate import CONNECTION


def routes() -> list[Route]:
    """The route of the question."""
    return [Route(CONNECTION, _connection, methods=["POST"])]


def _connection(request: Request) -> Response:
    # A request that gets here passed the gate, as a websocket would.
    return Response(status_code=204)
