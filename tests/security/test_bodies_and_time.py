"""Nobody can fill the disk or the memory, or block the server, by connecting to its port."""

import logging
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from pitasker_core.base.log import Repeats
from pitasker_core.server import connections
from pitasker_core.server.auth import Role
from pitasker_core.server.web import bounds
from pitasker_core.server.web.bounds import Bounded
from tests.helpers.waiting import patience, until


class AsRole:
    """Replaces the gate: everybody has a role."""

    def __init__(self, app, role):
        self.app, self.role = app, role

    async def __call__(self, scope, receive, send):
        scope.setdefault("state", {})["role"] = self.role
        await self.app(scope, receive, send)


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def talk(websocket):
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(str(len(await websocket.receive_text())))


def application(role, **limits):
    return Starlette(
        routes=[
            Route("/{path:path}", echo, methods=["GET", "POST", "PUT"]),
            WebSocketRoute("/ws", talk),
        ],
        middleware=[
            Middleware(AsRole, role=role),
            Middleware(Bounded, limits=bounds.Limits(**limits)),
        ],
    )


def chunks(size):
    for _ in range(size // 1000):
        yield b"x" * 1000


@pytest.mark.parametrize("role", [None, Role.READ, Role.WRITE])
def test_a_body_is_refused_by_its_length_and_while_it_comes(role):
    client = TestClient(application(role, stranger=5000, body=5000))
    assert client.post("/login", content=b"x" * 5000).text == "5000"
    assert client.post("/login", content=b"x" * 5001).status_code == 413
    assert client.post("/login", content=chunks(6000)).status_code == 413


def test_a_stranger_may_send_a_password_and_no_more():
    client = TestClient(application(None))
    assert client.post("/login", data={"password": "x" * 1000}).status_code == 200
    assert client.post("/login", content=b"x" * 5000).status_code == 413
    assert client.post("/api/crontab/raw", content=b"x" * 5000).status_code == 413


def test_files_are_taken_by_the_uploader_alone_and_not_from_who_may_only_look():
    files = {"file": b"x"}
    writer, reader = (TestClient(application(role)) for role in (Role.WRITE, Role.READ))
    assert writer.post("/login", files=files).status_code == 415
    assert writer.put(f"{bounds.UPLOAD}a/b", files=files).status_code == 200
    assert writer.put(f"{bounds.UPLOAD}a/b", files={"file": b"x" * 2_000_000}).status_code == 413
    assert reader.put(f"{bounds.UPLOAD}a/b", files=files).status_code == 403


def test_a_message_of_a_page_is_bounded_and_less_for_who_may_only_look():
    for role, most in ((Role.READ, 100), (Role.WRITE, 200)):
        client = TestClient(application(role, read_message=100, write_message=200))
        with client.websocket_connect("/ws") as page:
            page.send_text("x" * most)
            assert page.receive_text() == str(most)
            page.send_text("x" * (most + 1))
            with pytest.raises(WebSocketDisconnect) as closed:
                page.receive_text()
            assert closed.value.code == 1009


def test_an_address_has_so_many_pages_open_at_most():
    client = TestClient(application(Role.READ, websockets=1))
    second = client.websocket_connect("/ws")
    with client.websocket_connect("/ws"), pytest.raises(WebSocketDisconnect):
        second.__enter__()
    with client.websocket_connect("/ws") as page:
        page.send_text("x")
        assert page.receive_text() == "1"


# --- Connections ----------------------------------------------------------------------------------


@contextmanager
def served(app=None, **limits):
    """Start a server with its own limits. Returns its address."""
    protocol = connections.limited(connections.Limits(**limits))
    app = app or application(Role.WRITE)
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", http=protocol)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()
    finally:
        server.should_exit = True
        thread.join()


def is_closed(connection):
    """Wait for the end of a connection, ignoring all data."""
    connection.settimeout(patience())
    with suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return True


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nA:", HEAD, HEAD + b"12345"])
def test_who_does_not_finish_a_request_is_not_waited_for(sent):
    limits = {"header_seconds": 0.1, "body_seconds": 0.1, "rest_seconds": 0.1}
    with served(**limits) as address, socket.create_connection(address) as slow:
        slow.sendall(sent)
        assert is_closed(slow)


def test_a_drip_of_bytes_buys_no_time():
    with served(header_seconds=0.3) as address, socket.create_connection(address) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nA: ")

        def dropped():
            try:
                slow.sendall(b"x")
            except OSError:
                return True
            return False

        until(dropped)


def test_a_request_has_its_answer_within_a_time():
    async def never(request):
        while (await request.receive())["type"] != "http.disconnect":
            pass

    app = Starlette(routes=[Route("/", never)])
    with served(app, answer_seconds=0.1) as address, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{address[1]}/")


def test_idle_connections_give_way_to_who_asks_for_something():
    with served(per_address=5) as address:
        idle = [socket.create_connection(address) for _ in range(30)]
        assert httpx.post(f"http://127.0.0.1:{address[1]}/", content=b"abc").text == "3"
        assert all(is_closed(connection) for connection in idle[:25])
        for connection in idle:
            connection.close()


def test_the_address_with_the_most_connections_makes_room():
    with served(total=5) as address:
        other = socket.create_connection(address, source_address=("127.0.0.1", 0))
        idle = [socket.create_connection(address) for _ in range(9)]
        assert is_closed(other)  # this machine has one address, and this is its oldest connection
        assert httpx.get(f"http://127.0.0.1:{address[1]}/").text == "0"
        for connection in idle:
            connection.close()


def test_connections_that_are_used_again_and_pages_are_not_cut():
    limits = {"header_seconds": 0.2, "answer_seconds": 0.2}
    with (
        served(**limits) as address,
        httpx.Client(base_url=f"http://127.0.0.1:{address[1]}") as client,
    ):
        for _ in range(20):
            assert client.post("/", content=b"x" * 100_000).text == "100000"
        assert "101 " in upgraded_and_waited(address)


def upgraded_and_waited(address):
    """Return the answer on a websocket that is open for longer than a request may take."""
    lines = (
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(address, timeout=patience()) as connection:
        connection.sendall(lines)
        answer = connection.recv(4096).decode()
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):  # no data, and no end
            connection.recv(1)
    return answer


# --- The server as it is started ------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.standing
def test_the_dashboard_refuses_what_is_too_large_or_too_many(standing):
    files = {"file": b"x" * 100_000}
    assert httpx.post(f"{standing.address}/login", files=files).status_code == 415
    form = {"content-type": "application/x-www-form-urlencoded"}
    large = httpx.post(f"{standing.address}/login", content=chunks(100_000), headers=form)
    assert large.status_code == 413
    host, port = standing.address.removeprefix("http://").split(":")
    most = connections.Limits().per_address
    idle = [socket.create_connection((host, int(port))) for _ in range(most + 1)]
    assert is_closed(idle[0])
    assert httpx.get(f"{standing.address}/healthz").status_code == 200
    for connection in idle:
        connection.close()


# --- Logs -----------------------------------------------------------------------------------------


def test_lines_of_one_kind_are_limited_and_counted(caplog):
    now = [0.0]
    logger = logging.getLogger("test of repeats")
    repeats = Repeats(lambda: now[0])
    logger.addFilter(repeats)
    with caplog.at_level(logging.INFO, logger="test of repeats"):
        for number in range(100):
            logger.warning("An attack, number %s.", number)
        logger.warning("Something else.")
        now[0] = 60.0
        logger.warning("Something else.")
    logger.removeFilter(repeats)
    lines = caplog.messages
    assert len(lines) == 22
    assert lines[19].startswith("An attack, number 19. (More lines of this kind are dropped")
    assert lines[20:] == ["Something else.", "Something else."]


# --- A server of an ordinary user, by the network -----------------------------------------------


def send_on_and_on(victim, path, kind):
    """Return the answer to a body without an end."""
    host = victim.address.removeprefix("http://")
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}; boundary=x\r\n"
    with socket.create_connection(host.split(":"), patience()) as sending:
        sending.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        with suppress(OSError):  # it was answered, and the rest is not read
            for _ in range(200):
                sending.sendall(b"10000\r\n" + 65_536 * b"x" + b"\r\n")
        with suppress(OSError):
            return sending.recv(12)
    return b""


@pytest.mark.parametrize("path", ["/login", "/logout", "/", "/api/tasks", "/healthz"])
@pytest.mark.parametrize("kind", ["multipart/form-data", "application/x-www-form-urlencoded"])
def test_no_stranger_fills_the_disk_or_the_memory_of_the_server(victim, path, kind):
    # The gate, the limits or the routes refuse it, before the body is read.
    assert send_on_and_on(victim, path, kind)[9:] in (b"303", b"401", b"405", b"413", b"415")
    with victim.visit() as stranger:
        assert stranger.get("/login").status_code == 200


def test_a_thousand_connections_that_say_nothing_do_not_stop_the_server(victim):
    host = victim.address.removeprefix("http://").split(":")
    with ExitStack() as stack, victim.visit() as stranger:
        for _ in range(600):
            stack.enter_context(socket.create_connection(host, patience()))
        assert stranger.get("/login").status_code == 200
    assert 0 < victim.logged().count("the oldest waiting one was closed") < 100
