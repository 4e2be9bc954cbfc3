"""Signing out closes the websockets of the session."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pitasker_core.base.environment import Environment
from pitasker_core.server import auth
from pitasker_core.server.auth import Role
from pitasker_core.server.web import login
from pitasker_core.server.web.gate import Gate
from pitasker_core.server.web.open_tab import SIGNED_OUT
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience, until

ADDRESS = "http://127.0.0.1:8501"


class Dashboard:
    """Replaces Streamlit: each message runs a script, which answers with the page."""

    def __init__(self):
        self.runs = []
        self.ended = []

    async def serve(self, websocket):
        await websocket.accept()
        try:
            while True:
                # It ends after a while, so that a websocket that is not closed fails the test.
                self.runs.append(await asyncio.wait_for(websocket.receive_text(), patience() / 4))
                await websocket.send_text("the crontab")
        except WebSocketDisconnect as end:
            self.ended.append(end.code)
        except TimeoutError:
            await websocket.close()


@pytest.fixture
def environment(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("PITASKER_HOME", str(home))
    monkeypatch.setattr("pitasker_core.server.web.open_tab.LOOK_EVERY", 0.02)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    return Environment(home, "postgresql://nobody@127.0.0.1:9/none", "crontab", False)


@pytest.fixture
def seldom(monkeypatch):
    """No check runs between two messages, so each message is checked itself."""
    monkeypatch.setattr("pitasker_core.server.web.open_tab.LOOK_EVERY", patience())


@pytest.fixture
def dashboard():
    return Dashboard()


@pytest.fixture
def browser(environment, dashboard):
    routes = [*login.routes(), WebSocketRoute("/_stcore/stream", dashboard.serve)]
    app = Starlette(routes=routes, middleware=[Middleware(Gate)])
    headers = {"origin": ADDRESS, "host": "127.0.0.1:8501"}
    with TestClient(app, ADDRESS, headers=headers, follow_redirects=False) as client:
        client.cookies.update(cookies(environment, ADDRESS, Role.READ))
        yield client


@pytest.fixture
def tab(browser):
    with browser.websocket_connect("/_stcore/stream") as tab:
        tab.send_text("draw")
        assert tab.receive_text() == "the crontab"
        yield tab


def sign_out(environment, browser, monkeypatch):
    browser.post("/logout")


def sign_out_everyone(environment, browser, monkeypatch):
    auth.sign_out_everyone(environment)


def change_the_password(environment, browser, monkeypatch):
    auth.set_password(environment, "battery horse correct")


def expire(environment, browser, monkeypatch):
    monkeypatch.setattr(auth, "SESSION_SECONDS", -1)


def take_another_role(environment, browser, monkeypatch):
    answer = browser.post("/login", data={"token": auth.new_link(environment)})
    assert answer.status_code == 303


def lose_the_file(environment, browser, monkeypatch):
    (environment.home / "auth.json").write_text("{")


ENDS = [
    sign_out,
    sign_out_everyone,
    change_the_password,
    expire,
    take_another_role,
    lose_the_file,
]


@pytest.mark.parametrize("end", ENDS)
def test_the_websocket_is_closed(end, environment, browser, tab, dashboard, monkeypatch):
    end(environment, browser, monkeypatch)
    with pytest.raises(WebSocketDisconnect) as closed:
        tab.receive_text()
    assert closed.value.code == SIGNED_OUT
    until(lambda: dashboard.ended == [SIGNED_OUT])


@pytest.mark.parametrize("end", ENDS)
def test_no_script_runs_any_more(end, environment, seldom, browser, tab, dashboard, monkeypatch):
    """This holds for fragments, dialogs and buttons too."""
    end(environment, browser, monkeypatch)
    tab.send_text("press a button")
    with pytest.raises(WebSocketDisconnect) as closed:
        tab.receive_text()
    assert closed.value.code == SIGNED_OUT
    assert dashboard.runs == ["draw"]


def test_a_session_that_goes_on_keeps_its_websocket(environment, tab, dashboard):
    auth.sign_out(environment, cookies(environment, ADDRESS))
    tab.send_text("press a button")
    assert tab.receive_text() == "the crontab"
    assert dashboard.runs == ["draw", "press a button"]


def receive_all(tab):
    while True:
        tab.recv(patience())


def test_a_real_websocket_of_the_dashboard_is_closed(victim):
    own = cookies(victim.environment, victim.address)
    header = "; ".join(f"{name}={value}" for name, value in own.items())
    address = victim.address.replace("http", "ws") + "/_stcore/stream"
    with (
        connect(address, origin=victim.address, additional_headers={"cookie": header}) as tab,
        victim.visit() as browser,
    ):
        browser.cookies.update(own)
        assert browser.post("/logout").status_code == 303
        with pytest.raises(ConnectionClosed):
            receive_all(tab)
        assert tab.close_code == SIGNED_OUT
