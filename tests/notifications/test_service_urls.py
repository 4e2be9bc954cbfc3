"""Apprise reads from a URL exactly what a person filled in."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.notifications import apprise_sender
from pitasker_core.notifications.service_urls import SERVICES, build_url

secrets = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)
awkward = st.sampled_from(["p@ss/w:rd?&#%25+", "%2525", "a b", "😀", ":", "@", "%"]) | secrets


@settings(max_examples=40, deadline=None)
@given(awkward, awkward)
def test_the_login_of_ntfy_reads_back(user, password):
    values = {"server": "https://n.example.org:8443", "topic": "t", "user": user}
    service = apprise_sender.service(build_url("ntfy", {**values, "password": password}))
    assert (service.user, service.password) == (user.strip(), password.strip())
    assert (service.host, service.port, service.topics) == ("n.example.org", 8443, ["t"])


@settings(max_examples=40, deadline=None)
@given(awkward)
def test_the_parts_of_mail_read_back(password):
    values = {"host": "smtp.example.org", "user": "me+x@example.org", "password": password}
    service = apprise_sender.service(build_url("mail", {**values, "to": "you+y@example.org"}))
    assert (service.user, service.password) == ("me+x@example.org", password.strip())
    assert service.smtp_host == "smtp.example.org"
    assert service.from_addr[1] == "me+x@example.org"
    assert [address for _, address in service.targets] == ["you+y@example.org"]


@pytest.mark.parametrize(("port", "mode"), [("587", "starttls"), ("465", "ssl")])
def test_mail_speaks_tls_as_its_port_expects(port, mode):
    url = build_url("mail", {"host": f"smtp.example.org:{port}", "to": "you@example.org"})
    service = apprise_sender.service(url)
    assert (service.port, service.secure_mode) == (int(port), mode)


def test_telegram_reads_back():
    url = build_url("telegram", {"token": "123456789:abcdefg_hij-k", "chat": "-100123"})
    service = apprise_sender.service(url)
    assert service.bot_token == "123456789:abcdefg_hij-k"
    assert [target[0] for target in service.targets] == [-100123]


@settings(max_examples=40, deadline=None)
@given(awkward.filter(lambda text: text.strip() == text))
def test_the_parameters_of_a_webhook_reach_it(value):
    url = f"https://example.org:8443/hook/x?key={quote(value, safe='')}&empty="
    service = apprise_sender.service(build_url("webhook", {"url": url}))
    assert (service.host, service.port, service.fullpath) == ("example.org", 8443, "/hook/x")
    assert service.secure
    assert service.params["key"] == value


def test_without_a_server_ntfy_is_the_public_one():
    assert build_url("ntfy", {"topic": "jobs"}) == "ntfys://ntfy.sh/jobs"
    assert build_url("ntfy", {"topic": "jobs", "server": "http://pi:80"}) == "ntfy://pi:80/jobs"


@pytest.mark.parametrize(
    ("service", "values"),
    [
        ("ntfy", {}),
        ("ntfy", {"topic": "two words"}),
        ("ntfy", {"topic": "t", "server": "https://host/path"}),
        ("ntfy", {"topic": "t", "server": "ftp://host"}),
        ("ntfy", {"topic": "t", "password": "Sesame"}),
        ("mail", {"host": "smtp.example.org"}),
        ("mail", {"to": "you@example.org"}),
        ("mail", {"host": "smtp example", "to": "you@example.org"}),
        ("mail", {"host": "h", "to": "a@b.org,c@d.org"}),
        ("mail", {"host": "h", "to": "a@b.org", "from": "nobody"}),
        ("telegram", {"token": "Sesame", "chat": "1"}),
        ("telegram", {"token": "1:a", "chat": "a chat"}),
        ("webhook", {"url": "example.org/Sesame"}),
        ("webhook", {"url": "https://[Sesame"}),
        ("other", {"url": " "}),
    ],
)
def test_a_form_that_cannot_be_says_why_without_a_secret(service, values):
    with pytest.raises(InvalidSyntax) as problem:
        build_url(service, values)
    assert "Sesame" not in problem.value.user_message


def test_each_service_has_parts_with_different_names():
    for service in SERVICES.values():
        names = [part.name for part in service.parts]
        assert len(set(names)) == len(names)
