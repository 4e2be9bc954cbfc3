"""The pages in a real browser, with texts that try to become more than text."""

import http.server
import json
import socket
import subprocess
import sys
import threading

import pytest
from playwright.sync_api import expect

from pitasker_core.base.text import visible
from pitasker_core.server import tokens
from pitasker_core.server.auth import Role
from pitasker_core.templates import using
from tests.helpers.browsing import move, settle
from tests.helpers.examples import create
from tests.helpers.runs import ran
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience, until
from tests.security.test_inert_text import PIECES

pytestmark = [pytest.mark.slow, pytest.mark.standing]

PAGES = {
    "tasks?task={task}&as=template": "Tasks",
    "tasks?task=templates": "Tasks",
    "tasks?template=hostile": "Tasks",
    "runs?task={task}&run=1": "Runs",
    "import": "Import",
    "sync": "Sync",
    "crontab": "Crontab",
    "settings?settings_part=Access": "Settings",
    "settings?settings_part=Changes": "Settings",
    "tasks?task={task}": "Tasks",
}
"""Addresses of pages besides the overview, each with the title of its page."""


@pytest.fixture(scope="module")
def thief():
    """A server on another port of this host, as another user of the machine may start."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("cookie")))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.asked = asked
        yield server
        server.shutdown()


@pytest.fixture
def hostile(thief):
    at = f"http://127.0.0.1:{thief.server_port}"
    return (
        f"`![x]({at}/1)```<img src={at}/2><a href={at}/3>l"
        f" [y]({at}/4) {at}/5 ~~s~~:red[z] :material/home: :smile: $x^2$"
    )


@pytest.fixture
def page(browser, environment, standing):
    context = browser.new_context(viewport={"width": 1600, "height": 2000})
    context.set_default_timeout(patience() * 1000)
    context.add_cookies(
        [
            {"name": name, "value": value, "url": standing.address}
            for name, value in cookies(environment, standing.address, Role.WRITE).items()
        ]
    )
    page = context.new_page()
    page.violations = []
    page.on(
        "console",
        lambda said: "Content Security Policy" in said.text and page.violations.append(said.text),
    )
    yield page
    context.close()


def live(page, thief):
    """Return the elements that texts from outside became."""
    return page.evaluate(
        """port => [...document.querySelectorAll('iframe, math, .katex, del, [src], [href]')]
        .filter(one => one.outerHTML.includes(':' + port) || one.matches('math, .katex, del'))
        .map(one => one.outerHTML)""",
        thief.server_port,
    )


def test_no_text_from_outside_is_more_than_text_on_any_page(
    page, thief, hostile, environment, standing, crontab
):
    task = create(environment, hostile, command=f"/home/pi/x {hostile}")
    using.save_as_template(environment, "test", task.id, "hostile", hostile[:100], summary=hostile)
    tokens.create(environment, "test", hostile[:100], Role.READ)
    ran(environment, task, 8, exit_code=1, output=hostile.encode())
    ran(environment, None, 7, source="observed", command=hostile, ended_at=None, exit_code=None)
    ran(environment, task, 5, source="missed", exit_code=None, missed=1, note=hostile)
    by_hand = crontab.read().replace(b"0 2 * * *", b"7 7 * * *")
    crontab.write(by_hand + f"# {hostile}\n1 1 * * * echo {hostile}\n".encode())
    page.goto(standing.address)
    settle(page)
    assert live(page, thief) == []
    # A load of a page takes seconds of processor time, so one tab moves through the others.
    for path, title in PAGES.items():
        move(page, path.format(task=task.id))
        expect(page).to_have_title(f"{title} · PiTasker")
        assert live(page, thief) == [], path
    assert page.locator(".st-key-task-title").get_by_role("heading").inner_text() == hostile
    page.get_by_role("button", name="Why didn't it run?").click()
    expect(page.get_by_role("dialog").get_by_text("Passed: ")).to_be_visible()
    assert live(page, thief) == []
    for path in ("api/docs", "login"):
        page.goto(f"{standing.address}/{path}")
        expect(page.get_by_role("heading").first).to_be_visible(timeout=patience() * 1000)
    assert thief.asked == []
    assert page.violations == []


def test_a_picture_from_another_port_is_not_loaded(page, thief, standing):
    # The policy comes with the document, so the scripts of the dashboard are left out.
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"{standing.address}/settings")
    page.evaluate(
        """address => new Promise(done => {
            const image = new Image()
            image.onload = image.onerror = done
            image.src = address
            document.body.append(image)
        })""",
        f"http://127.0.0.1:{thief.server_port}/steal.png",
    )
    assert thief.asked == []
    assert len(page.violations) == 1


SCRIPT = """\
import json, sys
import streamlit as st
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.base.text import Code, Text
for number, text in enumerate(json.load(open(sys.argv[1]))):
    with st.container(key=f"text-{number}"):
        st.markdown(plain(text))
    with st.container(key=f"label-{number}"):
        st.button(plain(f"a{text}b"), key=str(number))
"""


def test_streamlit_itself_draws_nothing_but_text(browser, tmp_path):
    """The property test uses another parser. This test uses Streamlit's."""
    pairs = [f"{piece}{two}" for piece in PIECES for two in ("x", "`")]
    (tmp_path / "texts.json").write_text(json.dumps(pairs))
    (tmp_path / "app.py").write_text(SCRIPT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.headless", "true", "--server.port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options, "--", "texts.json"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: _listens(port))
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        last = page.locator(f".st-key-label-{len(pairs) - 1} p")
        expect(last).to_be_visible(timeout=patience() * 1000)
        settle(page)
        drawn = page.evaluate(
            """() => [...document.querySelectorAll('[class*=st-key-text-], [class*=st-key-label-]')]
            .map(one => {
                const body = one.querySelector('[data-testid=stMarkdownContainer]')
                const tags = [...body.querySelectorAll('*')].map(each => each.tagName)
                return [body.innerText, [...new Set(tags)].sort()]
            })"""
        )
        page.close()
    finally:
        server.terminate()
        server.wait()
    texts = [text for pair in pairs for text in (pair, f"a{pair}b")]
    assert [" ".join(text.split()) for text, _ in drawn] == [
        " ".join(visible(text).split()) for text in texts
    ]
    assert {tag for _, tags in drawn for tag in tags} <= {"P", "SPAN", "BR"}


def _listens(port):
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0
