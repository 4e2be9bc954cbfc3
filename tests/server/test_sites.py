"""PiTasker's own addresses, and their forms."""

import socket

import pytest

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.server import launch, sites
from pitasker_core.server.sites import (
    Site,
    parse_authority,
    parse_base_url,
    parse_origin,
    possible_sites,
)


@pytest.fixture(autouse=True)
def raspberrypi(monkeypatch, tmp_path):
    monkeypatch.setattr(socket, "gethostname", lambda: "RaspberryPi")
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 192.168.1.1\nsearch fritz.box office.example\n")
    monkeypatch.setattr(sites, "_RESOLVER", resolver)


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("https://pi.example", "https://pi.example"),
        ("HTTPS://Pi.Example/", "https://pi.example"),
        (" https://pi.example:443 ", "https://pi.example"),
        ("https://pi.example:8443", "https://pi.example:8443"),
        ("http://[FD00::1]:8501/", "http://[fd00::1]:8501"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_base_url_is_read_as_browsers_write_it(text, site):
    assert str(parse_base_url(text)) == site


@pytest.mark.parametrize(
    "text",
    [
        *("", "pi.example", "//pi.example", "ftp://pi.example", "https://", "https://:8443"),
        *("https://pi.example/cron", "https://pi.example?x", "https://pi.example/#x"),
        *("https://user:secret@pi.example", "https://pi.example:0", "https://pi.example:99999"),
        *("https://pi.example:x", "https://[", "https://[::1", "https://[pi]", "https://[::g]"),
        *(
            "https://pi example",
            "https://pi\x1b[31m",
            "https://\ud800",
            "https://.",
            "https://a..b",
        ),
    ],
)
def test_an_odd_base_url_is_refused_in_a_sentence(text):
    with pytest.raises(InvalidSyntax, match="is not the address of a site") as refused:
        parse_base_url(text)
    assert "\x1b" not in refused.value.user_message


def test_an_odd_base_url_is_no_traceback_at_any_command(cli, monkeypatch, capsys):
    monkeypatch.setenv("PITASKER_BASE_URL", "https://[")
    for words in (["up"], ["link"]):
        assert cli(*words) == 3
        assert "is not the address of a site" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["", ":80", "a b", "a/b", "a@b", "a:0", "a:99999", "[::1", "[x]", "a,b", "a\n", "ä", "-", "[]"],
)
def test_a_host_header_that_is_not_well_formed_is_none(text):
    assert parse_authority(text) is None


def test_only_web_sites_are_origins():
    assert parse_origin("https://pi.example") == Site("https", "pi.example", 443)
    for text in ("null", "", "pi.example", "file://pi", "https://", "https://a/b"):
        assert parse_origin(text) is None


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "127.0.0.1", "192.168.1.5", "::1", "fd00::5", "203.0.113.9"),
        *("raspberrypi", "raspberrypi.local", "raspberrypi-2.local", "raspberrypi.lan"),
        *("raspberrypi.fritz.box", "raspberrypi.office.example", "raspberrypi.home.arpa"),
    ],
)
def test_this_machine_is_known_by_its_addresses_and_its_names_in_its_own_network(host):
    assert sites.is_own(host, None)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "raspberrypi.evil.example", "raspberrypi.com", "other.local", "local"),
        *("127.0.0.1.evil.example", "localhost.evil.example", "fritz.box", "raspberrypi-x.local"),
    ],
)
def test_a_name_that_may_be_anybodys_is_not_ours(host):
    assert not sites.is_own(host, None)
    assert not sites.is_own(host, parse_base_url("https://pi.example"))
    assert sites.is_own(host, parse_base_url(f"https://{host}"))


@pytest.mark.parametrize(
    ("host", "base", "possible"),
    [
        # Directly, or through an unknown proxy or tunnel.
        ("pi:8501", None, ["http://pi:8501", "https://pi:8501"]),
        ("pi", None, ["http://pi", "https://pi"]),
        # A proxy that drops or keeps the port.
        ("pi.example", "https://pi.example:8443", ["https://pi.example:8443"]),
        ("pi.example:8443", "https://pi.example:8443", ["https://pi.example:8443"]),
        # A proxy that sends our own address; a tunnel.
        (
            "localhost:9000",
            "https://pi.example",
            ["http://localhost:9000", "https://localhost:9000", "https://pi.example"],
        ),
        # Plain HTTP over a network, where the base URL is HTTPS.
        (
            "192.168.1.5:8501",
            "https://pi.example",
            ["https://192.168.1.5:8501", "https://pi.example"],
        ),
        (
            "pi.example:8501",
            "https://pi.example",
            ["https://pi.example:8501", "https://pi.example"],
        ),
        (
            "pi:8501",
            "http://pi.example",
            ["http://pi:8501", "https://pi:8501", "http://pi.example"],
        ),
    ],
)
def test_the_sites_of_a_request(host, base, possible):
    base = parse_base_url(base) if base else None
    assert [str(site) for site in possible_sites(*parse_authority(host), base)] == possible


def test_where_it_serves_is_an_address_that_a_browser_takes(monkeypatch):
    monkeypatch.setattr(launch, "own_address", lambda: "192.168.1.5")
    network = ["http://192.168.1.5:8501", "http://127.0.0.1:8501"]
    assert launch.list_addresses("0.0.0.0", 8501, None) == network
    assert launch.list_addresses("::", 8501, None) == network
    assert launch.list_addresses("::1", 8501, None) == ["http://[::1]:8501"]
    proxy = ["https://pi.example", "http://127.0.0.1:8501"]
    assert launch.list_addresses("127.0.0.1", 8501, "HTTPS://pi.example/") == proxy


def test_only_addresses_and_networks_can_be_trusted_proxies():
    assert launch.believed_addresses([]) == ""
    believed = launch.believed_addresses(["127.0.0.1", "10.0.0.0/8", "::1"])
    assert believed == "127.0.0.1/32,::ffff:127.0.0.1/128,10.0.0.0/8,::ffff:10.0.0.0/104,::1/128"
    for text in ("*", "", "proxy.example", "10.0.0.1/8"):
        with pytest.raises(InvalidSyntax, match="neither an IP address nor a network"):
            launch.believed_addresses([text])
