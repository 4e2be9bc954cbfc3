"""docs/guide.md names buttons and fields that the dashboard has, and shows all its pictures."""

import re

import pytest

from tests.helpers.documents import DOCS, PROJECT

GUIDE = (DOCS / "guide.md").read_text()
SOURCES = "".join(
    path.read_text()
    for folder in ("pages", "pitasker_core/dashboard")
    for path in sorted((PROJECT / folder).glob("*.py"))
)
LABELS = sorted(
    {" ".join(label.split()) for label in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", GUIDE)}
)


@pytest.mark.parametrize("label", LABELS)
def test_a_label_of_the_guide_is_on_a_page(label):
    beginning = label.split(" …")[0]
    assert beginning.lower() in SOURCES.lower()


@pytest.mark.parametrize(
    "picture", sorted(path.name for path in (DOCS / "images").glob("*-light.png"))
)
def test_the_guide_shows_every_picture(picture):
    assert f"(images/{picture})" in GUIDE
