"""Attacks on signing in: other sites, other host names, forged addresses, opened links."""

import json
import logging
from base64 import b64encode
from hashlib import sha256

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pitasker_core.base.environment import Environment
from pitasker_core.server import auth, launch
from pitasker_core.server.auth import Role
from pitasker_core.server.web import connection, login
from pitasker_core.server.web.gate import PAGE_HEADER, Gate
from tests.helpers.signing_in import cookies
from tests.security.conftest import CRONTAB

SECRET = "correct horse battery"
OURS = "http://192.168.1.5:8501"


async def _page(request):
    return HTMLResponse("<html><head></head>secret</html>")


async def _client(request):
    return JSONResponse(request.client.host if request.client else None)


async def _stream(websocket):
    await websocket.accept()
    await websocket.send_text(json.dumps(dict(websocket.headers)))


@pytest.fixture
def environment(tmp_path):
    """A home without a database: signing in does not need one."""
    return Environment(tmp_path / "home", "postgresql://nobody@127.0.0.1:9/none", "crontab", False)


@pytest.fixture
def served(environment, monkeypatch):
    monkeypatch.setenv("PITASKER_HOME", str(environment.home))
    monkeypatch.setenv("DATABASE_URL", environment.database_url)
    return monkeypatch


@pytest.fixture
def log(caplog):
    logger = logging.getLogger("pitasker_core.server.web.gate")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def open_door(proxies=None):
    """The gate and the sign-in pages of the server, without Streamlit."""
    routes = [
        *login.routes(),
        *connection.routes(),
        Route("/", _page),
        Route("/tasks", _page),
        Route("/api/client", _client, methods=["GET", "POST"]),
        WebSocketRoute("/_stcore/stream", _stream),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Gate)])
    if proxies is not None:
        app = ProxyHeadersMiddleware(app, proxies)
    return app


@pytest.fixture
def visitor(served, environment):
    """Make clients for an address, signed in or not, that follow no redirections."""

    def visit(address=OURS, *, signed_in=True, proxies=None, client=("192.168.1.9", 4711)):
        browser = TestClient(
            open_door(proxies), base_url=address, follow_redirects=False, client=client
        )
        if signed_in:
            browser.cookies.update(cookies(environment, address))
        return browser

    return visit


def connects(browser, headers):
    try:
        with browser.websocket_connect("/_stcore/stream", headers=headers):
            return True
    except WebSocketDisconnect:
        return False


# --- Names that lead here ------------------------------------------------------------------------

REBOUND = ["evil.example:8501", "192.168.1.5.evil.example", "", "a b", "pi@192.168.1.5"]


@pytest.mark.parametrize("host", REBOUND)
def test_nothing_is_answered_under_a_name_that_may_be_anybodys(visitor, host):
    browser = visitor()
    for path in ("/", "/login", "/healthz", "/api/client"):
        answer = browser.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "UNKNOWN_HOST")


@pytest.mark.parametrize("host", REBOUND)
def test_a_websocket_under_such_a_name_is_refused_with_the_reason_in_the_log(visitor, host, log):
    headers = {"host": host, "origin": f"http://{host}"}
    assert not connects(visitor(), headers)
    (line,) = set(log.messages)
    assert line.startswith("Refused websocket /_stcore/stream from 192.168.1.9: ")
    assert "no valid Host header" in line or f"the name {host.removesuffix(':8501')}." in line


def test_a_refusal_is_a_page_for_people_and_says_no_html_of_strangers(visitor):
    answer = visitor().get("/", headers={"host": "evil.example", "accept": "text/html"})
    assert "does not know the name evil.example" in answer.text
    answer = visitor().get("/", headers={"host": "<b>evil</b>", "accept": "text/html"})
    assert "<b>evil" not in answer.text


# --- Pages of other sites ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://192.168.1.5:9999",
        "http://192.168.1.5:18659",
        "http://192.168.1.5:8501.evil.example",
        "",
    ],
)
def test_no_page_of_another_site_changes_anything(visitor, origin):
    browser = visitor()
    for path in ("/api/client", "/logout", "/login", "/connection"):
        answer = browser.post(path, headers={"origin": origin, PAGE_HEADER: "1"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FOREIGN_ORIGIN")
    assert not connects(browser, {"origin": origin})


@pytest.mark.parametrize("headers", [{}, {"origin": OURS}, {PAGE_HEADER: "1"}])
def test_a_cookie_alone_changes_nothing_by_the_api(visitor, headers):
    answer = visitor().post("/api/client", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FOREIGN_ORIGIN")
    assert "token" in answer.json()["error"]["advice"]


def test_our_own_page_changes_things_by_the_api(visitor):
    headers = {"origin": OURS, PAGE_HEADER: "1"}
    assert visitor().post("/api/client", headers=headers).status_code == 200


def test_every_page_has_our_script_that_adds_the_header(visitor):
    browser = visitor()
    page = browser.get("/tasks", headers={"accept": "text/html"})
    script = page.text.partition("<head><script>")[2].partition("</script>")[0]
    assert PAGE_HEADER in script.lower()
    assert int(page.headers["content-length"]) == len(page.content)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["content-security-policy"]


def test_streamlit_sees_the_page_as_our_own_and_no_cookie_of_another_port(visitor, environment):
    browser = visitor("https://pi.example:8443", signed_in=False)
    # As nginx sends it without a setting for the host.
    headers = {"host": "127.0.0.1:8501", "origin": "https://pi.example:8443"}
    mine = cookies(environment, "https://pi.example:8443")
    browser.cookies.update({**mine, "pitasker-9999": "other", "pitasker": "old", "theme": "x"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PITASKER_BASE_URL", "https://pi.example:8443")
        with browser.websocket_connect("/_stcore/stream", headers=headers) as stream:
            seen = json.loads(stream.receive_text())
    assert seen["host"] == "pi.example:8443"
    assert seen["cookie"] == f"{'='.join(*mine.items())}; theme=x"


# --- Cookies -------------------------------------------------------------------------------------


def test_a_cookie_of_another_port_or_of_plain_http_opens_nothing(visitor, environment, served):
    for address in ("http://192.168.1.5:8502", "https://192.168.1.5:8502"):
        browser = visitor(signed_in=False)
        browser.cookies.update(cookies(environment, address))
        assert browser.get("/").status_code == 303
    served.setenv("PITASKER_BASE_URL", OURS.replace("http", "https"))
    browser = visitor()
    assert browser.get("/").status_code == 303


def test_under_https_the_cookie_is_for_this_host_alone(visitor, environment, served):
    auth.set_password(environment, SECRET)
    served.setenv("PITASKER_BASE_URL", "HTTPS://pi.example:8443")
    answer = visitor("https://pi.example:8443", signed_in=False).post(
        "/login", data={"password": SECRET}, headers={"origin": "https://pi.example:8443"}
    )
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("__host-pitasker-8443=")
    assert {"secure", "path=/", "httponly"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie


# --- Links ---------------------------------------------------------------------------------------


def test_whoever_only_looks_at_a_link_does_not_use_it_up(visitor, environment):
    browser = visitor(signed_in=False)
    token = auth.new_link(environment, Role.READ)
    for method in ("HEAD", "GET", "OPTIONS"):
        browser.request(method, "/login", params={"token": token, "next": "http://["})
    page = browser.get("/login", params={"token": token})
    assert "You will have read-only access" in page.text
    assert not browser.cookies
    assert browser.post("/login", data={"token": token}).status_code == 303
    assert browser.post("/login", data={"token": token}).status_code == 401
    assert browser.get("/login", params={"token": token}).status_code == 401


@pytest.mark.parametrize(
    "page",
    [
        *("/logout", "/login", "/login?next=/logout", "//evil.example", "/\\evil.example"),
        *(
            "https://evil.example/x",
            "http://[",
            "/tasks\r\nx: y",
            "javascript:alert(1)",
            "",
            "/\x00",
        ),
        *("/logout?x", "tasks", "/%2fevil.example", "/api/tasks"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours_and_nothing_else(visitor, environment, page):
    token = auth.new_link(environment)
    browser = visitor(signed_in=False)
    answer = browser.post("/login", params={"next": page}, data={"token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_signing_in_leads_to_the_page_that_was_asked_for(visitor, environment):
    browser = visitor(signed_in=False)
    asked = browser.get("/tasks?task=3&x=%C3%A4")
    answer = browser.post(asked.headers["location"], data={"token": auth.new_link(environment)})
    assert answer.headers["location"] == "/tasks?task=3&x=%C3%A4"


def test_nobody_is_signed_out_by_a_link(visitor):
    browser = visitor()
    assert 'method="post"' in browser.get("/logout").text
    assert browser.get("/").status_code == 200
    assert browser.post("/logout").status_code == 303
    assert browser.get("/").status_code == 303


# --- The address behind a request ----------------------------------------------------------------


def seen_address(browser, forwarded):
    return browser.get("/api/client", headers={"x-forwarded-for": forwarded}).json()


def test_nobody_but_a_configured_proxy_says_for_whom_it_asks(visitor, served):
    served.setenv("FORWARDED_ALLOW_IPS", "")
    neighbour = visitor(proxies="", client=("127.0.0.1", 1))
    assert seen_address(neighbour, "203.0.113.1") == "127.0.0.1"
    trusted = launch.believed_addresses(["127.0.0.1"])
    for peer in ("127.0.0.1", "::ffff:127.0.0.1"):
        proxy = visitor(proxies=trusted, client=(peer, 1))
        assert seen_address(proxy, "203.0.113.1") == "203.0.113.1"
        # A visitor's forged value, before the proxy added the real address.
        assert seen_address(proxy, "198.51.100.7, 203.0.113.1") == "203.0.113.1"
        assert seen_address(proxy, "\x1b[31mroot") is None
    stranger = visitor(proxies=trusted, client=("203.0.113.9", 1))
    assert seen_address(stranger, "127.0.0.1") == "203.0.113.9"


def test_started_without_its_launcher_it_believes_nobody(visitor, served):
    served.delenv("FORWARDED_ALLOW_IPS", raising=False)
    browser = visitor(proxies="127.0.0.1", client=("127.0.0.1", 1))
    assert seen_address(browser, "203.0.113.1") is None
    assert browser.get("/api/client").json() == "127.0.0.1"


# --- A server of an ordinary user, by the network -----------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:9999", PAGE_HEADER: "1"},
        {"origin": "http://evil.example", PAGE_HEADER: "1"},
        {"origin": "null", PAGE_HEADER: "1"},
        {"host": "evil.example", PAGE_HEADER: "1"},
        {"sec-fetch-site": "same-site", PAGE_HEADER: "1"},
    ],
)
def test_another_site_makes_no_task_with_the_cookie_of_its_visitor(victim, headers):
    task = {"name": "x", "cronSchedule": "@daily", "command": "touch /tmp/x"}
    with victim.visit(Role.WRITE) as browser:
        assert browser.post("/api/tasks", json=task, headers=headers).status_code == 403
    assert victim.crontab() == CRONTAB


def test_a_reader_cannot_write_by_the_network(victim):
    headers = {"origin": victim.address, PAGE_HEADER: "1"}
    with victim.visit(Role.READ) as reader:
        for method, path in (("POST", "/api/tasks"), ("PUT", "/api/crontab/raw")):
            assert reader.request(method, path, json={}, headers=headers).status_code == 403
    assert victim.crontab() == CRONTAB


def test_a_link_signs_in_once_by_its_button_and_not_by_looking_at_it(victim):
    with victim.visit() as preview, victim.visit() as person:
        address = f"/login?token={victim.link}&next=http://["
        for method in ("HEAD", "GET"):
            assert preview.request(method, address).status_code == 200
        assert not preview.cookies
        answer = person.post("/login?next=http://[", data={"token": victim.link})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert preview.post("/login", data={"token": victim.link}).status_code == 401
