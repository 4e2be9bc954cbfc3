"""The gate over real HTTP: strangers and other sites reach nothing."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from pitasker_core.dashboard import lifespan
from pitasker_core.server import auth, launch, tokens
from pitasker_core.server.auth import Role
from pitasker_core.server.web import login
from pitasker_core.server.web.gate import Gate
from tests.helpers.browsing import sign_out
from tests.helpers.examples import create
from tests.helpers.signing_in import cookies, set_passwords
from tests.helpers.waiting import patience, until

pytestmark = [pytest.mark.slow, pytest.mark.standing]

SECRET = "correct horse battery"

PATHS = ["/", "/tasks", "/_stcore/host-config", "/media/x", "/component/x", "/app/static/x"]


@pytest.fixture
def address(standing):
    return standing.address


def test_without_a_cookie_every_page_leads_to_signing_in(address):
    for path in PATHS:
        answer = httpx.get(address + path)
        assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), path
    for path in ("/api/tasks", "/api/none", "/api/openapi.json", "/metrics"):
        answer = httpx.get(address + path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "NOT_SIGNED_IN")


def test_with_a_cookie_the_dashboard_is_served(address, environment):
    answer = httpx.get(address, cookies=cookies(environment, address))
    assert answer.status_code == 200
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    entry = httpx.get(f"{address}/api/tasks", cookies=cookies(environment, address))
    assert entry.headers["cache-control"] == "no-store"


def test_the_page_of_tasks_begins_with_a_preview(address, environment):
    create(environment, "<script>Pump</script>")
    signed_in = httpx.Client(base_url=address, cookies=cookies(environment, address, Role.READ))
    html = {"accept": "text/html"}
    until(lambda: "Pump" in signed_in.get("/tasks", headers=html).text)
    page = signed_in.get("/tasks", headers=html)
    assert "<td>&lt;script&gt;Pump&lt;/script&gt;<td>" in page.text
    policies = {
        signed_in.get(path, headers=html).headers["content-security-policy"] for path in PATHS[:2]
    }
    assert policies == {page.headers["content-security-policy"]}
    for path in ("/tasks?kind=Paused", "/runs"):
        assert "Pump" not in signed_in.get(path, headers=html).text
    assert "Pump" not in httpx.get(f"{address}/tasks", headers=html).text


def test_a_forged_address_or_name_is_not_believed(address, environment):
    forged = {"x-forwarded-for": "203.0.113.66"}
    httpx.post(f"{address}/login", data={"password": "x"}, headers=forged)
    refused = httpx.get(f"{address}/login", headers={"host": "evil.example"})
    assert refused.json()["error"]["code"] == "UNKNOWN_HOST"
    log = (environment.home / "logs" / "crontab-error.log").read_text()
    assert "Refused GET /login from 127.0.0.1: PiTasker does not know the name evil.example" in log
    assert "203.0.113.66" not in log


def test_what_watches_the_server_needs_no_cookie(address):
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}


def test_a_forged_or_old_cookie_is_none(address, environment):
    good = cookies(environment, address, Role.READ)
    assert httpx.get(address, cookies=good).status_code == 200
    forged = {name: value.replace("read", "write") for name, value in good.items()}
    assert httpx.get(address, cookies=forged).status_code == 303
    auth.sign_out(environment, good)
    assert httpx.get(address, cookies=good).status_code == 303


def handshake(address, **headers):
    """Return the status line of the answer to a websocket's request."""
    host, port = address.removeprefix("http://").split(":")
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    with socket.create_connection((host, int(port)), timeout=patience()) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return connection.recv(4096).decode(errors="replace").split("\r\n")[0]


def test_the_websocket_needs_the_cookie_and_our_own_page(address, environment):
    cookie = "=".join(*cookies(environment, address).items())
    assert " 101 " in handshake(address, Cookie=cookie, Origin=address)
    assert " 403 " in handshake(address, Origin=address)
    assert " 403 " in handshake(address, Cookie=cookie, Origin="http://evil.example")
    assert " 403 " in handshake(address, Cookie=cookie, Origin="null")
    assert " 403 " in handshake(address, Cookie=cookie, Origin=address, Sec_Fetch_Site="same-site")


def test_a_post_from_another_site_is_refused(address, environment):
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = httpx.post(
            f"{address}/login",
            data={"password": "x"},
            headers=headers,
            cookies=cookies(environment, address),
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FOREIGN_ORIGIN")


def test_the_password_signs_in_and_signing_out_ends_it(address, environment):
    set_passwords(environment, SECRET)
    with httpx.Client(base_url=address) as browser:
        wrong = browser.post("/login", data={"password": "wrong"})
        assert (wrong.status_code, list(browser.cookies)) == (401, [])
        answer = browser.post("/login?next=/tasks", data={"password": SECRET})
        assert (answer.status_code, answer.headers["location"]) == (303, "/tasks")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert browser.get("/tasks").status_code == 200
        earlier = dict(browser.cookies)
        browser.post("/logout")
    assert httpx.get(address, cookies=earlier).status_code == 303


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/x", "/\\evil.example"])
def test_signing_in_never_leads_elsewhere(address, environment, target):
    set_passwords(environment, SECRET)
    answer = httpx.post(f"{address}/login", params={"next": target}, data={"password": SECRET})
    location = httpx.URL(answer.headers["location"])
    assert location.is_relative_url
    assert not answer.headers["location"].startswith(("//", "/\\"))


def test_the_link_that_the_server_prints_signs_in_once(address, environment, capfd):
    port = int(address.rpartition(":")[2])
    lifespan._announce(environment, launch.list_addresses("127.0.0.1", port, None))
    (token,) = re.findall(r"http://\S+token=(\S+)", capfd.readouterr().out)
    first, second = (httpx.post(f"{address}/login", data={"token": token}) for _ in range(2))
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert second.status_code == 401


def test_it_does_not_listen_on_the_network_without_a_password(cli_environment):
    done = subprocess.run(
        [sys.executable, "-m", "pitasker_core", "up", "--host", "0.0.0.0", "--port", "0"],
        env=cli_environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(),
    )
    assert done.returncode == 3
    assert "./pitasker password" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--base-url", "pi.example", "is not the address of a site"),
        ("--base-url", "https://pi.example/cron", "is not the address of a site"),
        ("--port", "99999", "no port 99999"),
    ],
)
def test_it_says_at_once_which_option_cannot_be(cli, option, value, words, capsys):
    assert cli("up", option, value) == 3
    assert words in capsys.readouterr().err


def test_an_address_of_another_machine_is_said_in_a_sentence(cli, environment, capsys):
    auth.set_password(environment, SECRET)
    assert cli("up", "--host", "203.0.113.9") == 3
    assert "cannot listen on 203.0.113.9, port 8501" in capsys.readouterr().err


def test_streamlit_by_itself_does_not_open_the_door_either(cli_environment):
    app = Path(__file__).parents[2] / "streamlit_app.py"
    command = [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", "0"]
    done = subprocess.run(
        [*command, "--server.address", "0.0.0.0"],
        env=cli_environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience(),
    )
    assert done.returncode != 0
    assert "does not listen on 0.0.0.0 without a password" in done.stdout + done.stderr


def test_behind_a_proxy_the_base_url_is_whose_pages_are_ours(
    environment, cli_environment, monkeypatch
):
    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PITASKER_BASE_URL", "https://pi.example")
    auth.set_password(environment, SECRET)
    app = Starlette(routes=login.routes(), middleware=[Middleware(Gate)])
    proxy = TestClient(app, "http://127.0.0.1:8501", follow_redirects=False)
    ours, foreign = {"origin": "https://pi.example"}, {"origin": "https://evil.example"}
    answer = proxy.post("/login", data={"password": SECRET}, headers=ours)
    assert answer.status_code == 303
    assert "secure" in answer.headers["set-cookie"].lower()
    refused = proxy.post("/login", data={"password": SECRET}, headers=foreign)
    assert refused.status_code == 403


def test_a_token_opens_the_api_and_no_page(address, environment):
    token = tokens.create(environment, "tester", "script", Role.READ)
    bearer = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{address}/api/tasks", headers=bearer).json() == {"tasks": []}
    assert "pitasker_tasks 0.0" in httpx.get(f"{address}/metrics", headers=bearer).text
    assert "swagger-ui" in httpx.get(f"{address}/api/docs", headers=bearer).text
    missing = httpx.get(f"{address}/api/none", headers=bearer)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "INVALID_REQUEST")
    assert httpx.get(f"{address}/tasks", headers=bearer).status_code == 303
    refused = httpx.post(f"{address}/api/crontab/sync", headers=bearer)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "READ_ONLY")
    forged = {"authorization": "Bearer pitasker_forged"}
    assert httpx.get(f"{address}/api/tasks", headers=forged).status_code == 401


def test_a_person_signs_in_with_the_password_looks_around_and_signs_out(
    serve, browser, environment, crontab
):
    set_passwords(environment, SECRET)
    address = serve()
    page = browser.new_context().new_page()
    page.goto(f"{address}/tasks")
    page.get_by_label("Password").fill("wrong one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong password")).to_be_visible()
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible(timeout=patience() * 1000)
    other_tab = page.context.new_page()
    other_tab.goto(f"{address}/settings")
    expect(other_tab.get_by_role("heading", name="Settings")).to_be_visible(
        timeout=patience() * 1000
    )
    sign_out(page)
    expect(page.get_by_label("Password")).to_be_visible(timeout=patience() * 1000)
    # The other tab shows nothing more, without any action in it.
    expect(other_tab.get_by_label("Password")).to_be_visible(timeout=patience() * 1000)
    page.context.close()


def test_a_link_to_look_signs_in_who_changes_nothing(address, environment):
    with httpx.Client(base_url=address) as browser:
        browser.post("/login", data={"token": auth.new_link(environment, Role.READ)})
        assert browser.get("/sync").status_code == 200
        refused = browser.post("/api/crontab/sync", headers={"origin": address})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "READ_ONLY")
