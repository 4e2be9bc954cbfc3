"""Take the screenshots in docs/images from the demo.

    .venv/bin/python docs/screenshots.py

Needs Chromium and a mount namespace for the demo's private crontab, as the tests do.
"""

import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PORT = 8599
PROJECT = Path(__file__).parent.parent
IMAGES = Path(__file__).parent / "images"
PAGES = {
    "overview": "",
    "tasks": "tasks",
    "task": "tasks?task=1",
    "timeline": "timeline",
    "runs": "runs",
    "import": "import",
    "sync": "sync",
    "crontab": "crontab",
    "settings": "settings",
}
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "has_touch": True,
        "is_mobile": True,
        # PiTasker knows a phone by it.
        "user_agent": "Mozilla/5.0 (Linux; Android 14) Chrome/143.0.0.0 Mobile Safari/537.36",
    },
}


def take(page: Page, address: str, file: Path) -> None:
    """Take a screenshot of a whole page."""
    page.goto(f"http://127.0.0.1:{PORT}/{address}")
    page.get_by_role("heading", level=1).first.wait_for()
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    page.wait_for_timeout(1500)  # tables and charts are drawn after their data has arrived
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    width = page.viewport_size["width"]
    page.set_viewport_size({"width": width, "height": min(max(height, 500), 2400)})
    page.wait_for_timeout(700)
    page.screenshot(path=file)


def main() -> None:
    """Take screenshots of every page in every look."""
    IMAGES.mkdir(exist_ok=True)
    demo = subprocess.Popen(
        [PROJECT / "pitasker", "demo", "--port", str(PORT)], stdout=subprocess.PIPE, text=True
    )
    try:
        demo.stdout.readline()  # the address
        command = demo.stdout.readline().split("`")[1]
        answer = subprocess.check_output(["sh", "-c", command], cwd=PROJECT, text=True)
        link = next(word for word in answer.split() if word.startswith("http"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium-headless-shell"), args=["--no-sandbox"]
            )
            context = browser.new_context()
            login = context.new_page()
            login.goto(link)
            login.get_by_role("button", name="Sign in").click()
            login.get_by_role("heading", level=1).first.wait_for()
            signed_in = context.storage_state()
            for look, options in LOOKS.items():
                for name, address in PAGES.items():
                    page = browser.new_page(**options, storage_state=signed_in)
                    take(page, address, IMAGES / f"{name}-{look}.png")
                    page.close()
            browser.close()
    finally:
        demo.terminate()
        demo.wait()


if __name__ == "__main__":
    main()
