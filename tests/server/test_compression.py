"""Streamlit's scripts and styles are sent with gzip."""

import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from pitasker_core.server.web.compression import Compressed
from tests.helpers.signing_in import cookies

TEXT = "const answer = 42;\n" * 100
FOREVER = "public, immutable, max-age=31536000"


@pytest.fixture
def site():
    """Return a function that makes a client of a site with one script; it counts its reads."""

    def make(path="/static/js/a.1.js", cache=FOREVER, **options):
        reads = []

        def script(request):
            reads.append(request.url.path)
            return Response(TEXT, headers={"cache-control": cache, "etag": '"1"'})

        app = Compressed(Starlette(routes=[Route(path, script)]), **options)
        return TestClient(app), reads

    return make


def test_a_script_is_compressed_once_and_has_the_same_text(site):
    client, reads = site()
    for _ in range(3):
        answer = client.get("/static/js/a.1.js")
        assert answer.text == TEXT
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == FOREVER
        assert int(answer.headers["content-length"]) < len(TEXT) / 5
    assert len(reads) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"accept-encoding": "identity"},
        {"accept-encoding": "br, gzip;q=0"},
        {"range": "bytes=0-9"},
        {"if-none-match": '"2"'},
    ],
)
def test_a_request_that_does_not_take_a_whole_compressed_file_gets_it_plain(site, headers):
    client, _ = site()
    assert client.get("/static/js/a.1.js").headers["content-encoding"] == "gzip"
    answer = client.get("/static/js/a.1.js", headers=headers)
    assert "content-encoding" not in answer.headers
    assert answer.text == TEXT


def test_an_answer_that_ended_early_is_not_kept():
    bodies = [b"", TEXT.encode()]

    async def app(scope, receive, send):
        length = str(len(TEXT)).encode()
        headers = [(b"content-length", length), (b"cache-control", FOREVER.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bodies.pop(0)})

    client = TestClient(Compressed(app))
    client.get("/static/js/a.1.js")  # its browser has gone
    assert client.get("/static/js/a.1.js").text == TEXT


def test_a_file_that_may_change_is_not_kept(site):
    client, reads = site(cache="no-cache")
    for _ in range(2):
        assert "content-encoding" not in client.get("/static/js/a.1.js").headers
    assert len(reads) == 2


def test_other_paths_are_passed_on(site):
    client, _ = site("/api/tasks")
    assert "content-encoding" not in client.get("/api/tasks").headers
    assert client.get("/static/none.js").status_code == 404


def test_files_above_the_limit_are_sent_plain(site):
    client, _ = site(most_bytes=10)
    answer = client.get("/static/js/a.1.js")
    assert answer.text == TEXT
    assert "content-encoding" not in answer.headers


@pytest.mark.slow
@pytest.mark.standing
def test_the_dashboard_sends_its_largest_script_compressed(standing, environment):
    with httpx.Client(
        base_url=standing.address, cookies=cookies(environment, standing.address)
    ) as client:
        page = client.get("/tasks", headers={"accept": "text/html"}).text
        script = "/" + re.search(r'src="[./]*(static/js/[^"]+)"', page)[1]
        packed = client.get(script, headers={"accept-encoding": "gzip"})
        plain = client.get(script, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert "immutable" in packed.headers["cache-control"]
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
