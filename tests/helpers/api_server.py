"""A server of the API behind its gate, and a client of it."""

import threading

import httpx
import pytest

from tests.helpers.waiting import patience, until


@pytest.fixture(scope="session")
def address():
    """A server of the API behind its gate, without the dashboard."""
    # Here, because importing them takes a second, and most tests need no API.
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Mount

    from pitasker_core.server.api.app import make
    from pitasker_core.server.web import login, prometheus
    from pitasker_core.server.web.bounds import Bounded
    from pitasker_core.server.web.gate import Gate

    app = Starlette(
        routes=[*login.routes(), *prometheus.routes(), Mount("/api", make())],
        middleware=[Middleware(Gate), Middleware(Bounded)],
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def api(address, cli_environment, environment, monkeypatch):
    """A client with a token that may write."""
    from pitasker_core.server import tokens
    from pitasker_core.server.auth import Role
    from tests.helpers.examples import ME

    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    token = tokens.create(environment, ME, "tests", Role.WRITE)
    bearer = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{address}/api", headers=bearer, timeout=patience()) as client:
        yield client
