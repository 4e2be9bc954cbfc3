"""Measure how long a person waits for the dashboard in a real browser.

    PYTHONPATH=. .venv/bin/python benchmarks/dashboard.py [repeats]

Measures in Debian's Chromium on the same machine: the time from a click until its result is visible
(a filter, a switched task, a selected task, another page, the page of a new task), the time until
the first task is visible, and the CPU time of an idle tab. Then it measures a run of each page's
script in Streamlit's test runner. Prints medians and maxima in milliseconds.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from figure import Figure
from playwright.sync_api import Browser, Page, expect, sync_playwright
from private_world import cpu_seconds, isolate, start_server, start_streamlit, with_tasks
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.dashboard import task_form
from pitasker_core.dashboard.task_fields import show_fields
from pitasker_core.server import auth
from pitasker_core.server.auth import Role
from pitasker_core.server.sites import Site

SIZES = (100, 1000)
FIRST, TABLE = "first task to read", "first task in the table"
TOGGLE = ("toggle, drawn", "toggle, in the crontab")
IN_TABLE = "[data-testid=stDataFrame]"
FLOOR = "only a table"
IDLE = 60
"""Seconds of measuring an idle tab: a page is drawn again every minute, for its clock."""

FRONT_DOOR = Path(__file__).parent.parent / "streamlit_app.py"

WATCH = """([event, text]) => {
    window.shown = new Promise((done, fail) => {
        let start = null
        document.addEventListener(event, () => { start ??= performance.now() },
                                  {capture: true, once: true})
        setTimeout(() => fail(new Error("never shown: " + text)), 10000)
        const look = () => {
            if (start !== null && document.body.textContent.includes(text))
                return done(performance.now() - start)
            requestAnimationFrame(look)
        }
        look()
    })
}"""
"""Measures in the page, from the event to the frame that shows the text."""


DRAWN = """([x, y]) => {
    window.shown = new Promise((done, fail) => {
        const canvas = document.querySelector("[data-testid=data-grid-canvas]")
        const pixels = () => canvas.getContext("2d").getImageData(x - 8, y - 8, 16, 16).data.join()
        const before = pixels()
        let start = null
        document.addEventListener("pointerdown", () => { start ??= performance.now() },
                                  {capture: true, once: true})
        setTimeout(() => fail(new Error("the cell was never drawn")), 10000)
        const look = () => {
            if (start !== null && pixels() !== before) return done(performance.now() - start)
            requestAnimationFrame(look)
        }
        look()
    })
}"""
"""Measures in the page, from the click until the cell of the table is drawn anew."""

ON = {"x": 117, "y": 54}
"""The switch of the first task in the table."""


def measure(page: Page, event: str, text: str, act: Callable[[], object]) -> float:
    """Return the milliseconds from an event until a text is on the page."""
    page.wait_for_timeout(600)
    page.evaluate(WATCH, [event, text])
    act()
    return float(page.evaluate("window.shown"))


FIRST_TASK = """selector => new Promise((done, fail) => {
    setTimeout(() => fail(new Error("no task is shown")), 20000)
    const look = () => {
        const place = document.querySelector(selector)
        if (place?.textContent.includes("Job 0")) return done(performance.now())
        requestAnimationFrame(look)
    }
    look()
})"""
"""Measures the milliseconds from the start of navigation until a task is in an element."""


ONLY_A_TABLE = """
import pandas, streamlit
streamlit.set_page_config(layout="wide")
names = [f"Job {{number}}" for number in range({size})]
streamlit.dataframe(pandas.DataFrame({{"Name": names, "Schedule": "0 1 * * *"}}))
"""
"""The floor of the first task: a page of Streamlit with a table and nothing else."""


def measure_drawn(page: Page, place: dict[str, int]) -> float:
    """Return the milliseconds from a click on a cell until it is drawn anew."""
    page.wait_for_timeout(600)
    page.evaluate(DRAWN, [place["x"], place["y"]])
    page.get_by_test_id("stDataFrame").first.click(position=place)
    return float(page.evaluate("window.shown"))


def first_task(page: Page, address: str, selector: str = IN_TABLE) -> float:
    """Return the milliseconds from the start of a page load until a task is in an element."""
    page.goto(address, wait_until="commit")
    return float(page.evaluate(FIRST_TASK, selector))


def only_a_table(browser: Browser, size: int, repeats: int) -> list[float]:
    """Return the milliseconds of each load of a page of Streamlit with only a table."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "floor.py"
        script.write_text(ONLY_A_TABLE.format(size=size))
        options = ("--server.headless=true", "--browser.gatherUsageStats=false", "--server.port")
        server, address = start_streamlit("streamlit", "run", str(script), *options)
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            first_task(page, address)  # as for PiTasker, a page was loaded before
            return [first_task(page, address) for _ in range(repeats)]
        finally:
            server.terminate()
            server.wait()


def in_the_browser(page: Page, address: str, size: int, repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of each repetition of each action."""
    names = (FIRST, TABLE, "filter", *TOGGLE, "select", "new task", "schedule typed", "page change")
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        times[FIRST].append(first_task(page, f"{address}/tasks", "body"))
        times[TABLE].append(first_task(page, f"{address}/tasks"))
    grid = page.get_by_test_id("stDataFrame").first
    select_all = page.get_by_role("button", name=f"Select all {size}")
    for _ in range(repeats):
        paused = page.get_by_text("Paused 0")
        times["filter"].append(measure(page, "click", "No task matches", paused.click))
        page.get_by_text(f"All {size}", exact=True).click()
        grid.wait_for()

        def select() -> None:
            grid.click(position={"x": 42, "y": 54})

        times["select"].append(measure(page, "pointerdown", "1 task selected", select))
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text("1 task selected")).to_have_count(0)
        toggle = partial(grid.click, position=ON)
        times[TOGGLE[0]].append(measure_drawn(page, ON))
        expect(page.get_by_text("Paused 1")).to_be_visible()
        times[TOGGLE[1]].append(measure(page, "pointerdown", "Paused 0", toggle))
        menu = page.get_by_test_id("stTopNavLink")
        sync = menu.filter(has_text="Sync")
        times["page change"].append(measure(page, "click", "Sync now", sync.click))
        menu.filter(has_text="Tasks").click()
        expect(select_all).to_be_visible()
        new = page.get_by_role("button", name="New task")
        times["new task"].append(measure(page, "click", "In the crontab", new.click))
        times["schedule typed"] += schedule_typed(page)
        page.get_by_role("button", name="Discard changes").click()
        expect(select_all).to_be_visible()
    return times


def schedule_typed(page: Page) -> list[float]:
    """Return the milliseconds from typing a schedule until it is explained.

    30 of them are the pause after the last key. The first time also enables the button Save.
    """
    field = page.get_by_label("Schedule", exact=True)
    field.fill("@daily")
    expect(page.get_by_role("button", name="Discard changes")).to_be_visible()
    return [
        measure(page, "input", text, partial(field.fill, schedule))
        for schedule, text in (
            ("every weekday at 7:41", "Monday to Friday at 07:41"),
            ("42 7 * * 1-5", "Monday to Friday at 07:42"),
        )
    ]


def idle(page: Page, address: str, server: int) -> dict[str, list[float]]:
    """Return the server's CPU time in milliseconds per second: without a tab, and for a tab."""

    def per_second() -> float:
        page.wait_for_timeout(5000)
        before = cpu_seconds(server)
        page.wait_for_timeout(IDLE * 1000)
        return 1000 * (cpu_seconds(server) - before) / IDLE

    page.goto("about:blank")
    without = per_second()
    page.goto(f"{address}/tasks")
    return {
        "idle server, a second": [without],
        "idle tab, a second": [max(0.0, per_second() - without)],
    }


def on_the_server(environment: Environment, repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of runs of each page's script."""
    os.environ["PITASKER_HOME"] = str(environment.home)
    site = Site("http", "127.0.0.1", 8501)
    cookies = dict([auth.sign_in(environment, Role.WRITE, site)])
    ContextProxy.cookies = cookies  # type: ignore[misc]
    times = {}
    for name in ("overview", "tasks", "timeline", "runs", "import_entries", "sync", "crontab"):
        app = AppTest.from_file(FRONT_DOOR, default_timeout=60).run()
        if name != "overview":
            app.switch_page(f"pages/{name}.py").run()
        taken = []
        for _ in range(repeats):
            start = time.perf_counter()
            app.run()
            taken.append(1000 * (time.perf_counter() - start))
        times[f"server: {name}"] = taken
    times["server: schedule typed (CPU)"] = form_on_the_server(repeats)
    return times


def form_on_the_server(repeats: int) -> list[float]:
    """Return the CPU time of drawing a form's fields: all that the server does for a typed text."""
    taken = []

    def timed(*args: Any) -> Any:
        start = time.thread_time()
        values = show_fields(*args)
        taken.append(1000 * (time.thread_time() - start))
        return values

    with patch.object(task_form, "show_fields", timed):
        app = AppTest.from_file(FRONT_DOOR, default_timeout=60).run()
        app.switch_page("pages/tasks.py")
        app.query_params["task"] = "new"
        app.run()
        for label, text in [
            ("Command", "/bin/true"),
            *(("Schedule", f"every weekday at 7:{10 + n}") for n in range(repeats)),
        ]:
            next(field for field in app.text_input if field.label == label).set_value(text).run()
    return taken[-repeats:]


def measure_size(size: int, repeats: int, with_browser: bool = True) -> dict[str, list[float]]:
    """Return the milliseconds of everything, with this number of tasks."""
    with with_tasks(size) as environment:
        times = measure_browser(environment, size, repeats) if with_browser else {}
        database.start(environment)
        return {**times, **on_the_server(environment, repeats)}


def measure_browser(environment: Environment, size: int, repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of what a person does in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium-headless-shell"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        server, address = start_server(environment)
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.goto(f"{address}/login?token={auth.new_link(environment)}")
            page.get_by_role("button", name="Sign in").click()
            return {
                FLOOR: only_a_table(browser, size, repeats),
                **in_the_browser(page, address, size, repeats),
                **idle(page, address, server.pid),
            }
        finally:
            server.terminate()
            server.wait()
            browser.close()


def empty_page(repeats: int) -> float:
    """Return the median of an empty page's run in Streamlit's test runner."""
    app = AppTest.from_string("import streamlit as st\nst.write(1)").run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        app.run()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def figures(quick: bool = False) -> Iterator[Figure]:
    """Measure all sizes, or with `quick` the pages' scripts with 100 tasks."""
    repeats = 3 if quick else 9
    floor = empty_page(repeats)
    for size in (100,) if quick else SIZES:
        times = measure_size(size, repeats, with_browser=not quick)
        table = statistics.median(times.pop(FLOOR, [0]))
        for what, taken in times.items():
            lowest: tuple[float | None, str] = (None, "")
            if what.startswith("server"):
                lowest = (floor, "an empty page")
            elif what == TABLE:
                lowest = (table, "a page of Streamlit with only a table")
            name = f"{what}, {size} tasks"
            yield Figure("dashboard", name, statistics.median(taken), "ms", *lowest)


def main() -> None:
    """Measure all sizes."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    print(f"{'tasks':>6}  {'what':26} {'median':>8} {'worst':>8}")
    for size in SIZES:
        for what, taken in measure_size(size, repeats).items():
            print(f"{size:6}  {what:26} {statistics.median(taken):8.0f} {max(taken):8.0f}")


if __name__ == "__main__":
    isolate()
    main()
