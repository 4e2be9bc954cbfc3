"""PiTasker does not trust servers that it calls: monitors of runs, and channels of notices."""

import base64
import json
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.notifications import apprise_sender
from pitasker_core.runs import pings
from pitasker_core.runs.pings import Unanswered
from tests.helpers.examples import ME, create


def whole_request(connection):
    """Read the body too: closing a connection with unread data resets it."""
    request = connection.recv(65536)
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]) and (more := connection.recv(65536)):
        body += more
        request += more
    return request


@contextmanager
def answering(answer, drips=b""):
    """A server: its port and its requests. It sends slowly until the client leaves."""
    got = []
    is_over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    request = whole_request(connection)
                    got.append(request)
                    connection.sendall(answer(request))
                    while drips and not is_over.wait(0.02):
                        connection.sendall(drips)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], got
    finally:
        is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def call(url):
    """On its own thread, as `pings.send` does: this thread may have a browser's event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pings._call, url).result()


def leads_to(target):
    return lambda _: (
        f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
    )


def test_the_trusted_certificates_are_read_once_for_all_monitors(monkeypatch):
    pings._trusted.cache_clear()
    contexts = []
    make = httpx.create_ssl_context
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: contexts.append(make()) or contexts[0])
    verified = []
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: verified.append(options["verify"]))
    for _ in range(2):
        with pytest.raises(TypeError):  # this client cannot be used
            call("https://monitor.example/abc")
    assert len(contexts) == 1
    assert verified == contexts * 2
    pings._trusted.cache_clear()


def test_a_monitor_does_not_lead_to_another_host():
    with answering(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (other, reached):
        with (
            answering(leads_to(f"http://localhost:{other}/")) as (port, _),
            pytest.raises(Unanswered, match="redirects to http://localhost"),
        ):
            call(f"http://127.0.0.1:{port}/")
        assert reached == []


@pytest.mark.parametrize("target", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://["])
def test_a_monitor_does_not_lead_to_another_kind_of_address(target):
    with answering(leads_to(target)) as (port, got), pytest.raises(Unanswered):
        call(f"http://127.0.0.1:{port}/")
    assert len(got) == 1


def test_a_monitor_may_lead_to_another_address_of_its_host_but_not_for_ever():
    def answer(request):
        if b"GET /there" in request:
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        return leads_to("/there" if b"GET /here" in request else "/again")(request)

    with answering(answer) as (port, got):
        call(f"http://127.0.0.1:{port}/here")
        assert len(got) == 2
        with pytest.raises(Unanswered, match="too many redirects"):
            call(f"http://127.0.0.1:{port}/again")


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 2"])
def test_a_monitor_that_drips_is_left_after_a_time(begun, monkeypatch):
    monkeypatch.setattr(pings, "_SECONDS", 0.3)
    with (
        answering(lambda _: begun, drips=b"0") as (port, _),
        pytest.raises(Unanswered, match="no answer within"),
    ):
        call(f"http://127.0.0.1:{port}/")


def test_a_monitor_that_answers_and_then_drips_was_told():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
    with answering(lambda _: head, drips=b"x") as (port, got):
        call(f"http://127.0.0.1:{port}/")
    assert len(got) == 1


@pytest.mark.parametrize("url", ["http://user:pw@host/x", "https://user@host", "http://@host/"])
def test_a_ping_url_with_a_password_is_refused(environment, url):
    task = create(environment)
    with pytest.raises(InvalidSyntax, match="cannot hold a user and a password"):
        tasks.change(environment, ME, task.id, ping_url=url)
    with pytest.raises(Unanswered):  # a record of an older version
        call(url)


USER, PASSWORD = "pi", "correct-horse"


def test_what_a_channel_sends_back_of_our_headers_is_not_kept():
    def echo(request):
        headers = request.split(b"\r\n\r\n")[0]
        return b"HTTP/1.1 500 No\r\nConnection: close\r\n\r\n" + headers

    with answering(echo) as (port, got):
        url = f"json://{USER}:{PASSWORD}@127.0.0.1:{port}/?+X-Api-Key=opensesame"
        problem = apprise_sender.send(apprise_sender.service(url), url, "title", "body", None)
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert pair in got[0].decode()
    assert "500" in problem
    for secret in (pair, PASSWORD, "opensesame"):
        assert secret not in problem


@pytest.mark.parametrize(
    "echoed",
    [
        "Authorization: Bearer abcdefghijk",
        json.dumps({"headers": {"Authorization": "Basic abcdefghijk"}}),
        "authorization=abcdefghijk",
        "Cookie: abcdefghijk",
        "X-Access-Token: abcdefghijk",
    ],
)
def test_credentials_of_any_server_are_masked(echoed):
    url = "json://example.org"
    assert "abcdefghijk" not in apprise_sender.redacted(f"It said {echoed}; sorry", url, None)
