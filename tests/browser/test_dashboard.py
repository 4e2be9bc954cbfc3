"""The dashboard in a real browser, on the real `crontab` and a real PostgreSQL."""

import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect
from streamlit.web.server.app_discovery import discover_asgi_app

from pitasker_core import tasks
from pitasker_core.sync import operation_history
from tests.helpers.browsing import grid, move, settle
from tests.helpers.eventful import fill
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.waiting import patience, until

PROJECT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.standing]


def test_the_server_finds_the_app_in_the_front_door():
    assert discover_asgi_app(PROJECT / "streamlit_app.py").is_asgi_app


@pytest.mark.own_server
def test_a_newcomer_sees_what_the_crontab_holds_and_imports_it(serve, visit, crontab, environment):
    crontab.write(EXISTING)
    page = visit(serve())
    expect(page.get_by_text("Nothing has been changed in your crontab")).to_be_visible()
    (backup,) = environment.backups.glob("*.crontab")
    assert backup.read_bytes() == EXISTING
    expect(page.get_by_text("Found 3 entries in your crontab")).to_be_visible()
    page.get_by_role("button", name="Choose what to manage").click()
    page.get_by_role("button", name="Import 3 entries").click()
    expect(page.get_by_text("Every entry of your crontab is managed already")).to_be_visible()
    assert {t.name for t in tasks.listing(environment).tasks} == {
        "Nightly backup",
        "cat",
        "hello.sh",
    }
    assert crontab.read().count(b"# PITASKER_ID:") == 3


def test_a_hand_edit_is_shown_and_either_side_can_be_taken(serve, visit, crontab, environment):
    task = create(environment)
    create(environment, "Other")
    original = crontab.read()
    crontab.write(original.replace(b"0 2 * * * /home", b"9 9 * * * /home", 1))
    page = visit(f"{serve()}/sync")
    expect(page.get_by_text("Needs attention").first).to_be_visible()
    page.get_by_role("button", name="Keep PiTasker's").click()
    expect(page.get_by_text("1 line changed")).to_be_visible()
    assert crontab.read() == original
    crontab.write(original.replace(b"0 2 * * * /home", b"9 9 * * * /home", 1) + b"# more\n")
    page.reload()
    page.get_by_role("button", name="Keep the crontab's").click()
    until(lambda: tasks.get(environment, task.id).schedule == "9 9 * * *")
    expect(page.get_by_text("Healthy").first).to_be_visible()


def test_a_conflict_can_be_decided_field_by_field(serve, visit, crontab, environment):
    task = create(environment)
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, task.id, command="/bin/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    page = visit(f"{serve()}/sync")
    page.get_by_text("Choose field by field").click()
    group = page.locator(f".st-key-mix-schedule-{task.tag}")
    group.get_by_text("Crontab", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Keep these fields").click()
    until(lambda: b"7 7 * * * /bin/ours # PITASKER_ID:" in crontab.read())


def test_a_crontab_that_vanished_asks_before_tasks_are_touched(serve, visit, crontab, environment):
    create(environment)
    whole = crontab.read()
    crontab.remove()
    page = visit(f"{serve()}/sync")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("1 of 1 managed entries are gone").first).to_be_visible()
    page.get_by_role("button", name="Restore PiTasker's entries").click()
    until(lambda: crontab.read() == whole)


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


def test_what_is_typed_into_the_raw_editor_is_saved_by_the_keyboard(serve, visit, crontab):
    page = visit(f"{serve()}/crontab")
    page.get_by_label("The whole crontab").click()
    page.keyboard.type("5 5 * * * /bin/x\n# done\n")
    page.keyboard.press("Control+s")
    until(lambda: crontab.read() == b"5 5 * * * /bin/x\n# done\n")


def texts(page):
    """Return the text of each editor: for a moment both the old and the new editor exist."""
    return page.get_by_label("The whole crontab").evaluate_all("all => all.map(one => one.value)")


def test_what_was_typed_survives_a_look_at_another_page_and_a_load(serve, visit, crontab):
    crontab.write(EXISTING)
    page = visit(f"{serve()}/crontab")
    page.get_by_label("The whole crontab").fill("# mine\n")
    expect(page.get_by_text("What saving changes")).to_be_visible()
    page.get_by_role("link", name="Tasks").click()
    expect(page.get_by_role("heading", name="Tasks")).to_be_visible()
    page.get_by_role("link", name="Crontab").click()
    until(lambda: texts(page) == ["# mine\n"])
    page.get_by_role("button", name="Load again").click()
    until(lambda: texts(page) == [EXISTING.decode()])
    page.get_by_role("button", name="Bring back what I typed").click()
    until(lambda: texts(page) == ["# mine\n"])


def test_environment_lines_are_changed_in_a_table_and_saved_with_the_text(serve, visit, crontab):
    crontab.write(b"PATH=/bin\n" + EXISTING)
    page = visit(f"{serve()}/crontab")
    page.get_by_test_id("stMain").get_by_text("Environment lines", exact=True).click()
    page.get_by_label("Name").fill("MAILTO")
    page.get_by_label("Value").fill("me@example.org")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("1 line added").first).to_be_visible()
    page.get_by_role("button", name="Save").click()
    lines = EXISTING.replace(b"MAILTO=pi@example.org\n", b"MAILTO=pi@example.org\n")
    until(lambda: b"MAILTO=me@example.org\n" in crontab.read())
    assert crontab.read().replace(b"MAILTO=me@example.org\n", b"") == b"PATH=/bin\n" + lines


def test_an_uploaded_text_waits_to_be_saved_with_every_byte(serve, visit, crontab, tmp_path):
    crontab.write(EXISTING)
    odd = tmp_path / "backup.crontab"
    odd.write_bytes(b"# caf\xe9\r\n0 5 * * * echo caf\xe9\n")
    page = visit(f"{serve()}/crontab")
    page.get_by_role("button", name="Upload").click()
    page.locator("input[type=file]").set_input_files(odd)
    expect(page.get_by_text("What saving changes")).to_be_visible()
    assert crontab.read() == EXISTING
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save").click()
    until(lambda: crontab.read() == odd.read_bytes())


def test_the_raw_editor_notices_and_merges_somebody_elses_edit(serve, visit, crontab):
    crontab.write(EXISTING)
    page = visit(f"{serve()}/crontab")
    field = page.get_by_label("The whole crontab")
    field.fill(EXISTING.decode().replace("0 2 *", "0 3 *"))
    expect(page.get_by_text("What saving changes")).to_be_visible()
    crontab.write(EXISTING + b"# by hand\n")
    expect(page.get_by_text("The crontab was changed elsewhere")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_role("button", name="Merge mine").click()
    merged = EXISTING.replace(b"0 2 *", b"0 3 *") + b"# by hand\n"
    until(lambda: texts(page) == [merged.decode()])
    page.get_by_role("button", name="Save").click()
    until(lambda: crontab.read() == merged)


def test_the_raw_editor_keeps_carriage_returns_and_foreign_bytes(serve, visit, crontab):
    odd = b"# caf\xe9\r\n0 5 * * * echo caf\xe9\r\n"
    crontab.write(odd)
    page = visit(f"{serve()}/crontab")
    field = page.get_by_label("The whole crontab")
    field.fill(field.input_value() + "6 6 * * * /bin/more\n")
    page.get_by_role("button", name="Save").click()
    until(lambda: crontab.read() == odd + b"6 6 * * * /bin/more\n")


def test_without_a_crontab_program_every_page_opens_and_says_why(serve, visit):
    address = serve(PITASKER_CRONTAB="/nonexistent/crontab")
    page = visit(address)
    for path in ("", "tasks", "import", "sync", "crontab"):
        move(page, path)
        expect(page.get_by_text("Install cron").first).to_be_visible()


def test_without_a_database_the_raw_editor_saves_and_says_when_its_server_has_ended(
    serve, visit, crontab
):
    crontab.write(EXISTING)
    address = serve(DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    expect(visit(address).get_by_text("Connection refused").first).to_be_visible()
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


def test_a_finding_is_fixed_from_its_row_and_from_its_kind(serve, visit, crontab, environment):
    create(environment)
    crontab.force(crontab.read() + b"1 1 * * * /bin/a\n2 2 * * * /bin/b\n61 * * * * /bin/c\n")
    page = visit(f"{serve()}/sync")
    grid(page).click(position={"x": 190, "y": 52 + 35 * 2})
    page.get_by_text("Comment out", exact=True).click()
    until(lambda: b"\n# 61 * * * * /bin/c\n" in crontab.read())
    expect(page.get_by_text("Comment out. 1 line changed")).to_be_visible()
    settle(page)
    mended = crontab.read()
    page.get_by_role("button", name="Fix all 2: unmanaged entry").click()
    page.get_by_text("Import", exact=True).last.click()
    until(lambda: crontab.read().count(b"# PITASKER_ID:") == 3)
    page.get_by_role("button", name="Undo").click()
    until(lambda: crontab.read() == mended)


def test_an_operation_shows_what_it_did_and_can_be_gone_back_before(
    serve, visit, crontab, environment
):
    create(environment)
    before = crontab.read()
    create(environment, "Other")
    (newest, *_) = operation_history.operations(environment)
    page = visit(f"{serve()}/sync?operation={newest.id}")
    expect(page.get_by_text("The crontab: 2 lines added, 2 identical")).to_be_visible()
    page.get_by_role("button", name="Restore the crontab before this").click()
    until(lambda: crontab.read() == before)


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


def test_an_import_can_choose_all_or_none(serve, visit, crontab):
    crontab.write(EXISTING)
    page = visit(f"{serve()}/import")
    page.get_by_role("button", name="Choose none").click()
    expect(page.get_by_role("button", name="Import 0 entries")).to_be_disabled()
    page.get_by_role("button", name="Choose all").click()
    page.get_by_role("button", name="Import 3 entries").click()
    until(lambda: crontab.read().count(b"# PITASKER_ID:") == 3)


def test_the_output_of_a_run_is_in_view_from_the_overview(serve, visit, crontab, environment):
    fill(environment, crontab)
    page = visit(serve())
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="View output").click()
    expect(page.locator(".printed").get_by_text("Could not resolve host")).to_be_in_viewport()
