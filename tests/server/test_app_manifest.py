"""The dashboard as an app: its manifest and icons, as a browser without cookies gets them."""

import io

import httpx
import pytest
from PIL import Image

from tests.helpers.signing_in import cookies

pytestmark = [pytest.mark.slow, pytest.mark.standing]


@pytest.fixture
def manifest(standing):
    answer = httpx.get(f"{standing.address}/manifest.webmanifest")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/manifest+json"
    return answer.json()


def test_a_browser_that_is_not_signed_in_gets_each_icon_in_its_size(standing, manifest):
    for icon in manifest["icons"]:
        answer = httpx.get(standing.address + icon["src"])
        assert answer.headers["content-type"] == icon["type"]
        width, height = Image.open(io.BytesIO(answer.content)).size
        assert f"{width}x{height}" == icon["sizes"]


def test_the_app_has_the_icons_that_browsers_ask_for(manifest):
    icons = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert icons == {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}


def test_every_page_names_the_manifest_and_an_icon_that_exists(standing, environment):
    page = httpx.get(
        f"{standing.address}/tasks",
        cookies=cookies(environment, standing.address),
        headers={"accept": "text/html"},
    )
    assert '<link rel="manifest" href="/manifest.webmanifest">' in page.text
    assert '<link rel="apple-touch-icon" href="/icons/apple-180.png">' in page.text
    assert httpx.get(f"{standing.address}/icons/apple-180.png").status_code == 200


def test_other_paths_beside_the_icons_still_need_a_sign_in(standing):
    for path in ("/icons/none.png", "/icons/../tasks"):
        assert httpx.get(standing.address + path).status_code == 303
