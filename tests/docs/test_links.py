"""The links of the documents lead somewhere, and README leads to every page."""

import pytest

from tests.helpers.documents import DOCS, PAGES, PROJECT, read_anchors, read_links

README = (PROJECT / "README.md").read_text()


def is_broken(page, target):
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.exists():
        return True
    return bool(anchor) and anchor not in read_anchors(file.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_to_a_file_and_a_heading(page):
    assert [link for link in read_links(page.read_text()) if is_broken(page, link)] == []


def test_readme_links_to_every_page():
    linked = set(read_links(README))
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= linked


def test_readme_is_short():
    assert len(README.splitlines()) < 120
