"""Each way to the dashboard from another machine, through a real browser and real proxies."""

import re
import shutil
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pitasker_core.base.environment import Environment
from pitasker_core.server import launch
from tests.helpers.browsing import CHEAP, chromium_program, sign_out
from tests.helpers.databases import TEMPLATE
from tests.helpers.serving import process_environment, running_servers
from tests.helpers.signing_in import set_passwords
from tests.helpers.waiting import patience, until

pytestmark = pytest.mark.slow

SECRET = "correct horse battery"
INSTALLATION = Path(__file__).parents[2] / "docs" / "installation.md"
NAME = socket.gethostname().lower().split(".")[0]
BASE_URL = "https://pi.example:8443"

NGINX = """\
daemon off;
error_log {folder}/nginx.log;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    server {{ listen 127.0.0.1:{ports[https]} ssl; {to_open} }}
    server {{ listen 127.0.0.1:{ports[https_named]} ssl; {to_named} }}
    server {{ listen 127.0.0.1:{ports[http_named]}; {to_named} }}
    server {{ listen 127.0.0.1:{ports[bare]} ssl; {bare} }}
}}
"""

CADDY = """\
{{
    admin off
    auto_https off
    storage file_system {folder}/caddy
}}
https://:{ports[caddy]} {{
    tls {folder}/cert.pem {folder}/key.pem
    {to_open}
}}
https://:{ports[caddy_named]} {{
    tls {folder}/cert.pem {folder}/key.pem
    {to_named}
}}
"""


@dataclass(frozen=True)
class House:
    """A machine with two PiTaskers: `open` listens on the network and has no base URL, `named` is
    for a proxy at the base URL."""

    browser: object
    open: str
    named: str
    folder: Path

    def log(self, name):
        return (self.folder / name / "home" / "logs" / "crontab-error.log").read_text()


def documented_lines(language, port):
    """Return the proxy configuration from the documents."""
    text = INSTALLATION.read_text()
    block = re.search(rf"```{language}\n(.*?127\.0\.0\.1:8501.*?)```", text, re.S)[1]
    return block.replace("8501", str(port))


def free_ports(*names):
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return {name: s.getsockname()[1] for name, s in zip(names, sockets, strict=True)}


def program(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    assert path, f"the tests need {name}: sudo apt install {name}"
    return path


def start_proxies(stack, folder, ports, open_port, named_port):
    certificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    certificate += " -keyout key.pem -out cert.pem -subj /CN=pi.example"
    names = f"subjectAltName=DNS:pi.example,DNS:{NAME}.local,DNS:{NAME}.lan,DNS:other.example"
    subprocess.run(
        [*certificate.split(), "-addext", names],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    nginx = {port: documented_lines("nginx", port) for port in (open_port, named_port)}
    bare = "location / { proxy_pass http://127.0.0.1:%s; proxy_set_header Host $http_host; }"
    words = {"to_open": nginx[open_port], "to_named": nginx[named_port], "bare": bare % open_port}
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, ports=ports, **words))
    caddy = {
        port: documented_lines("caddyfile", port).split("{", 1)[1].rsplit("}", 1)[0]
        for port in (open_port, named_port)
    }
    words = {"to_open": caddy[open_port], "to_named": caddy[named_port]}
    (folder / "Caddyfile").write_text(CADDY.format(folder=folder, ports=ports, **words))
    log = stack.enter_context((folder / "proxies.log").open("w"))
    for command in (
        [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")],
        [program("caddy"), "run", "--config", str(folder / "Caddyfile")],
    ):
        proxy = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder))
        stack.callback(proxy.terminate)

    def listen():
        for port in ports.values():
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)):
                    return False
        return True

    until(listen)


@pytest.fixture(scope="module")
def house(cluster, tmp_path_factory, browser):
    folder = tmp_path_factory.mktemp("house")
    ports = free_ports("https", "https_named", "http_named", "bare", "caddy", "caddy_named")
    with ExitStack() as stack:
        addresses = {}
        url = cluster.create("house", TEMPLATE)
        for name, options in (("open", ["--host", "::"]), ("named", ["--base-url", BASE_URL])):
            (folder / name).mkdir()
            environment = Environment(folder / name / "home", url, "crontab", demo=False)
            environment = replace(environment, cron_log=folder / "cron.log")
            set_passwords(environment, SECRET)
            servers = stack.enter_context(
                running_servers(process_environment(environment), folder / name)
            )
            addresses[name] = servers.start(*options)
        open_port, named_port = (address.rpartition(":")[2] for address in addresses.values())
        start_proxies(stack, folder, ports, open_port, named_port)
        rules = {
            f"{NAME}:{open_port}": open_port,
            f"{NAME}.local:{open_port}": open_port,
            "localhost:9000": open_port,  # as through `ssh -L 9000:127.0.0.1:…`
            f"{NAME}.local:443": ports["https"],
            f"{NAME}.lan:8443": ports["caddy"],
            f"{NAME}.lan:8444": ports["bare"],
            "pi.example:8443": ports["https_named"],
            "pi.example:80": ports["http_named"],
            "pi.example:443": ports["https_named"],
            "other.example:443": ports["caddy"],
            "other.example:8443": ports["caddy_named"],
        }
        mapped = ", ".join(f"MAP {name} 127.0.0.1:{port}" for name, port in rules.items())
        chromium = browser.browser_type.launch(
            executable_path=chromium_program(),
            args=[*CHEAP, f"--host-resolver-rules={mapped}"],
        )
        stack.callback(chromium.close)
        yield House(chromium, addresses["open"], addresses["named"], folder)


@pytest.fixture
def page(house):
    context = house.browser.new_context(ignore_https_errors=True)
    context.set_default_timeout(patience() * 1000)
    yield context.new_page()
    context.close()


def sign_in(page, address, *, light=True):
    """Sign in as a person does. `light` blocks the dashboard's scripts."""
    if light:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setBlockedURLs", {"urls": ["*/static/*"]})
    page.goto(f"{address}/login")
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()


def sessions(page):
    """Return the cookies that sign in."""
    cookies = page.context.cookies()
    return [c for c in cookies if c["name"].startswith(("pitasker-", "__Host-pitasker-"))]


CONNECT = """() => new Promise(resolve => {
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/_stcore/stream");
    socket.onopen = () => { socket.close(); resolve(true); };
    socket.onerror = () => resolve(false);
})"""
"""The first request of the dashboard's scripts. Without it a page stays empty."""

OWN = launch.own_address() or "127.0.0.2"


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(f"http://{NAME}:%s", id="name"),
        pytest.param(f"http://{NAME}.local:%s", id="mDNS"),
        pytest.param(f"http://{OWN}:%s", id="IPv4"),
        pytest.param("http://[::1]:%s", id="IPv6"),
        pytest.param("http://localhost:9000", id="tunnel"),
        pytest.param(f"https://{NAME}.local", id="nginx"),
        pytest.param(f"https://{NAME}.lan:8443", id="Caddy, another port"),
        pytest.param(BASE_URL, id="base URL"),
    ],
)
def test_the_dashboard_connects(house, page, address):
    if "%s" in address:
        address %= house.open.rpartition(":")[2]
    sign_in(page, address)
    page.wait_for_url(f"{address}/")
    assert page.evaluate(CONNECT)
    (cookie,) = sessions(page)
    assert cookie["secure"] is address.startswith("https")
    assert cookie["name"].startswith("__Host-") is address.startswith("https")


def test_a_server_announces_its_base_url(house):
    assert f"at {BASE_URL} and" in (house.folder / "named" / "server.log").read_text()


def test_the_dashboard_is_drawn_through_a_proxy(house, page):
    sign_in(page, BASE_URL, light=False)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    sign_out(page)
    expect(page.get_by_label("Password")).to_be_visible()
    assert sessions(page) == []


@pytest.mark.parametrize(
    ("server", "address", "advice"),
    [
        ("open", "https://other.example", "--base-url https://other.example"),
        ("named", "https://other.example:8443", "--base-url https://other.example:8443"),
    ],
    ids=["missing", "wrong"],
)
def test_without_the_right_base_url_the_page_says_what_to_set(house, page, server, address, advice):
    page.goto(f"{address}/tasks")
    expect(page.get_by_role("alert")).to_contain_text("does not know the name other.example")
    expect(page.get_by_role("alert")).to_contain_text(advice)
    assert advice in house.log(server)


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("https://pi.example", "./pitasker up --base-url https://pi.example"),
        (
            "http://pi.example",
            f"was loaded over plain HTTP (http://pi.example)|Open {BASE_URL} instead",
        ),
    ],
    ids=["another port", "plain HTTP"],
)
def test_the_right_password_at_another_address_says_why_it_is_refused(house, page, address, advice):
    sign_in(page, address)
    for words in advice.split("|"):
        expect(page.get_by_role("alert")).to_contain_text(words)
        assert words in house.log("named")
    assert sessions(page) == []


def test_a_websocket_that_a_proxy_swallows_is_said_on_the_page_and_in_the_log(house, page):
    address = f"https://{NAME}.lan:8444"
    sign_in(page, address)
    page.wait_for_url(f"{address}/")
    for _ in range(2):  # a single request may be due to a restart
        assert not page.evaluate(CONNECT)
    expect(page.get_by_role("alert")).to_contain_text("its websocket does not come through")
    until(lambda: "does not pass on its Upgrade header" in house.log("open"))


def test_a_refused_websocket_is_said_on_the_page(house, page):
    sign_in(page, house.open)
    page.wait_for_url(f"{house.open}/")
    page.context.clear_cookies()
    assert not page.evaluate(CONNECT)
    expect(page.get_by_role("alert")).to_contain_text("You are not signed in")
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_label("Password")).to_be_visible()
    log = (house.folder / "open" / "home" / "logs" / "crontab-sync.log").read_text()
    assert "Refused websocket /_stcore/stream from 127.0.0.1: You are not signed in." in log


def test_two_pitaskers_on_one_host_keep_their_own_sessions(house, page):
    # A host's cookies go to all its ports. The second server is reached as by a tunnel.
    for address in (house.open, house.named):
        sign_in(page, address)
        page.wait_for_url(f"{address}/")
    page.goto(f"{house.open}/logout")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    page.goto(f"{house.named}/healthz")
    assert page.evaluate(CONNECT)
