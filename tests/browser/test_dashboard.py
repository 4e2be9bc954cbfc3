"""The dashboard in a real browser, on the real `crontab` and a real PostgreSQL."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect
from streamlit.web.server.app_discovery import discover_asgi_app

from tests.helpers.browsing import grid, settle
from tests.helpers.examples import EXISTING, create
from tests.helpers.waiting import patience, until

PROJECT = Path(__file__).parents[2]
DARK = "rgb(17, 22, 21)"
pytestmark = [pytest.mark.slow, pytest.mark.standing]


def test_the_server_finds_the_app_in_the_front_door():
    assert discover_asgi_app(PROJECT / "streamlit_app.py").is_asgi_app


def test_the_raw_editor_explains_an_error_saves_what_is_mended_and_restores(serve, visit, crontab):
    crontab.write(EXISTING)
    page = visit(f"{serve()}/crontab")
    field = page.get_by_label("The whole crontab")
    field.fill(EXISTING.decode() + "61 * * * * /bin/x\n")
    wrong = len(EXISTING.splitlines()) + 1
    expect(page.get_by_text(f"Line {wrong}: Cron would not take this line")).to_be_visible()
    expect(page.locator(".numbers .wrong")).to_have_text(str(wrong))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Nothing was saved; your text is still here")).to_be_visible()
    assert crontab.read() == EXISTING
    field.fill(EXISTING.decode() + "5 5 * * * /bin/x\n")
    expect(page.get_by_text("Cron accepts every line")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    until(lambda: crontab.read() == EXISTING + b"5 5 * * * /bin/x\n")
    expect(page.get_by_text("Saved. 1 line added").first).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    until(lambda: crontab.read() == EXISTING)
    expect(page.get_by_text("Undone").first).to_be_visible()
    settle(page)
    grid(page).click(position={"x": 15, "y": 52 + 35})
    chosen = page.get_by_text(re.compile(r"No\. \d+ of .*, compared with")).inner_text()
    page.get_by_role("button", name="Restore this").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    until(lambda: crontab.read() == EXISTING + b"5 5 * * * /bin/x\n")
    settle(page)
    # The selection stays although new rows moved it down.
    expect(page.get_by_text(chosen)).to_be_visible()


def test_a_page_is_drawn_in_the_chosen_theme_and_without_storage(serve, visit, subtests):
    address = serve()
    page = visit(address)
    with subtests.test("a theme is chosen once for every page"):
        page.get_by_test_id("stMainMenu").click()
        page.get_by_role("menuitemradio", name="Dark").click()
        app = page.get_by_test_id("stApp")
        expect(app).to_have_css("background-color", DARK)
        page.goto(f"{address}/settings")
        expect(app).to_have_css("background-color", DARK)
    with subtests.test("our script runs where a browser refuses the storage"):
        refuse = "{get() { throw new Error('refused') }}"
        page.add_init_script(f"Object.defineProperty(window, 'localStorage', {refuse})")
        page.route("**/static/js/*", lambda route: route.abort())
        page.goto(address)
        # It tells Streamlit's scripts where the server is, and marks the calls of our pages.
        assert page.evaluate("window.__streamlit.BACKEND_BASE_URL") == f"{address}/"
        assert "native code" not in page.evaluate("window.fetch.toString()")


def texts(page):
    """Return the text of each editor: for a moment both the old and the new editor exist."""
    return page.get_by_label("The whole crontab").evaluate_all("all => all.map(one => one.value)")


def test_what_is_typed_into_the_raw_editor_is_kept(serve, visit, crontab, subtests):
    odd = b"# caf\xe9\r\n0 5 * * * echo caf\xe9\r\n"
    crontab.write(odd)
    page = visit(f"{serve()}/crontab")
    with subtests.test("the keyboard saves it and keeps carriage returns and foreign bytes"):
        page.get_by_label("The whole crontab").click()
        page.keyboard.press("Control+End")
        page.keyboard.type("6 6 * * * /bin/more\n")
        page.keyboard.press("Control+s")
        until(lambda: crontab.read() == odd + b"6 6 * * * /bin/more\n")
        settle(page)
    crontab.write(EXISTING)
    until(lambda: texts(page) == [EXISTING.decode()])
    with subtests.test("it survives another page"):
        page.get_by_label("The whole crontab").fill("# mine\n")
        expect(page.get_by_text("What saving changes")).to_be_visible()
        page.get_by_role("link", name="Tasks").click()
        expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
        page.get_by_role("link", name="Crontab").click()
        until(lambda: texts(page) == ["# mine\n"])
    with subtests.test("it survives an edit by somebody else"):
        crontab.write(EXISTING + b"# by hand\n")
        expect(page.get_by_text("The crontab was changed elsewhere")).to_be_visible()
        expect(page.get_by_role("button", name="Save")).to_be_disabled()
        page.get_by_role("button", name="Load again").first.click()
        until(lambda: texts(page) == [EXISTING.decode() + "# by hand\n"])
        page.get_by_role("button", name="Bring back what I typed").click()
        until(lambda: texts(page) == ["# mine\n"])


def test_without_a_database_the_raw_editor_saves_and_says_when_its_server_has_ended(
    serve, visit, crontab
):
    crontab.write(EXISTING)
    address = serve(DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    page = visit(f"{address}/crontab")
    field = page.get_by_label("The whole crontab")
    field.fill(EXISTING.decode() + "# more\n")
    # Its script is loaded when it is needed. Without the server, an error would name the file.
    expect(page.get_by_test_id("stCode").get_by_text("+# more")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    until(lambda: crontab.read() == EXISTING + b"# more\n")
    settle(page)
    failures = []
    page.on("requestfailed", lambda request: failures.append(request.url))
    for process in serve.processes:
        process.kill()
    expect(page.get_by_text("PiTasker's server does not answer.")).to_be_visible()
    # Streamlit shows its dialog after six attempts of two requests each.
    until(lambda: page.title() and len(failures) > 14)
    expect(page.get_by_text("Streamlit")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_finding_is_fixed_from_its_row(serve, visit, crontab, environment):
    create(environment)
    crontab.force(crontab.read() + b"1 1 * * * /bin/a\n61 * * * * /bin/c\n")
    page = visit(f"{serve()}/sync")
    grid(page).click(position={"x": 190, "y": 52 + 35})
    page.get_by_text("Comment out", exact=True).click()
    until(lambda: b"\n# 61 * * * * /bin/c\n" in crontab.read())
    expect(page.get_by_text("Comment out. 1 line changed")).to_be_visible()


def test_a_taken_port_is_said_in_one_sentence(cli_environment):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "pitasker_core", "up", "--port", str(taken.getsockname()[1])],
            env=cli_environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience(),
        )
    assert done.returncode == 3
    assert "is in use" in done.stderr
    assert "Traceback" not in done.stderr
