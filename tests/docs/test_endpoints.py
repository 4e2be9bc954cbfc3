"""docs/api.md has every endpoint with an example, and no document has one that does not exist."""

import re

import pytest

from tests.helpers.documents import DOCS, PAGES, read_blocks, read_examples, without_blocks

API = (DOCS / "api.md").read_text()
METHODS = ("get", "post", "put", "patch", "delete")
ENDPOINTS = re.findall(r"^### `(\w+ /api/.+)`$", API, re.MULTILINE)
"""The endpoints that have a section: all, which the first test here states."""

NAMED = re.compile(r"`(?:(GET|POST|PUT|PATCH|DELETE) )?(/api/[^`?\s]*)`")


def as_pattern(path):
    return re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))


def requests(section):
    """The method and path of each request with curl."""
    commands = [e.command for block in read_blocks(section) for e in read_examples(block)]
    for command in commands:
        if match := re.search(r"\$API(/[^\s\"'?]*)", command):
            method = re.search(r"-X (\w+)", command)
            default = "POST" if "--json" in command else "GET"
            yield f"{method[1] if method else default} /api{match[1]}"


def exists(method, path):
    if path in ("/api/docs", "/api/openapi.json"):
        return True
    methods = [method] if method else [each.upper() for each in METHODS]
    return any(
        re.fullmatch(as_pattern(endpoint), f"{each} {path}")
        for endpoint in ENDPOINTS
        for each in methods
    )


def test_every_endpoint_has_a_section():
    # Here: to make the API takes half a second, which each test process would pay.
    from pitasker_core.server.api.app import make

    served = [
        f"{method.upper()} /api{path}"
        for path, methods in make().openapi()["paths"].items()
        for method in methods
        if method in METHODS
    ]
    assert sorted(ENDPOINTS) == sorted(served)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_section_of_an_endpoint_asks_it(endpoint):
    section = re.split(r"^##+ ", API.split(f"### `{endpoint}`\n")[1], flags=re.MULTILINE)[0]
    assert any(re.fullmatch(as_pattern(endpoint), request) for request in requests(section))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_endpoints_that_exist(page):
    named = NAMED.findall(without_blocks(page.read_text()))
    assert [f"{method} {path}" for method, path in named if not exists(method, path)] == []


def test_the_table_of_errors_is_complete():
    from pitasker_core.server.api.app import STATUS

    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (\d{3}) \|", API, re.MULTILINE))
    by_cause = {"INVALID_REQUEST": "422", "UNEXPECTED": "500"}
    assert rows == {**{error.code: str(status) for error, status in STATUS.items()}, **by_cause}


def test_a_wrong_endpoint_is_noticed():
    assert not exists("GET", "/api/task")
    assert not exists("PUT", "/api/tasks/3")
    assert exists("", "/api/tasks/3")
