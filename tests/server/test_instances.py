"""The processes of a home: listed while they run, and ended by `stop`."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace

import pytest

from pitasker_core.dashboard import lifespan
from pitasker_core.database import embedded
from pitasker_core.server import auth, instances, launch
from pitasker_core.server.instances import registered


@pytest.mark.slow
@pytest.mark.standing
def test_link_prints_the_address_that_serves(standing, cli, capsys):
    assert cli("link", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["runs"]
    assert answer["link"].startswith(f"{standing.address}/login?token=")


def test_link_prints_each_address_of_the_server_that_was_started_with_a_base_url(
    cli, environment, capsys
):
    addresses = ["https://pi.example", "http://127.0.0.1:8600"]
    with registered(environment, "dashboard", 8600, addresses):
        assert cli("link", "--port", "8600", "--json") == 0
    links = json.loads(capsys.readouterr().out)["links"]
    assert [link.split("/login")[0] for link in links] == addresses
    assert len({link.split("token=")[1] for link in links}) == 1


def test_link_says_when_no_server_runs(cli, environment, capsys):
    assert cli("link") == 0
    said = capsys.readouterr().out
    assert "http://127.0.0.1:8501/login?token=" in said
    assert "No server of PiTasker runs" in said


def test_a_process_is_found_while_it_runs_and_not_after(environment):
    assert instances.list_running(environment) == []
    with registered(environment, "dashboard", 8501, ["http://127.0.0.1:8501"]):
        (running,) = instances.list_running(environment)
        assert (running.pid, running.port) == (os.getpid(), 8501)
    assert instances.list_running(environment) == []


def test_a_file_that_a_killed_process_left_is_no_process(environment, cli_environment):
    script = "import os; from pitasker_core.base.environment import Environment;"
    script += "from pitasker_core.server import instances;"
    script += "held = instances.registered(Environment.from_environment(), 'agent');"
    script += "held.__enter__(); os._exit(9)"
    subprocess.run([sys.executable, "-c", script], env=cli_environment, check=False)
    (left,) = (environment.home / "running").iterdir()
    # Another process may have its id by now. Here it is the id of these tests.
    left.write_text(json.dumps({**json.loads(left.read_text()), "pid": os.getpid()}))
    assert instances.stop(environment) == []
    assert not left.exists()


def test_a_home_that_cannot_be_written_stops_nobody(environment):
    environment.home.mkdir()
    (environment.home / "running").write_text("")
    with registered(environment, "agent"):
        assert instances.list_running(environment) == []


@pytest.mark.slow
def test_stop_ends_the_server_and_the_private_database(
    serve, cli, environment, monkeypatch, capsys
):
    address = serve(DATABASE_URL="")
    monkeypatch.setenv("DATABASE_URL", "")
    assert cli("stop") == 0
    said = capsys.readouterr().out
    assert f"the server of {address} (process {serve.processes[0].pid})" in said
    assert serve.processes[0].poll() is not None
    assert not embedded.stop_in(environment.postgres)


def test_stop_starts_nothing_to_stop_it(cli, environment, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", "")
    assert cli("stop") == 0
    assert "No process of PiTasker ran" in capsys.readouterr().out
    assert not environment.postgres.exists()


@pytest.mark.parametrize("is_service", [True, False])
def test_a_service_prints_no_link_into_the_journal(environment, monkeypatch, capfd, is_service):
    output = os.fstat(sys.stdout.fileno())
    stream = f"{output.st_dev}:{output.st_ino}" if is_service else "1:1"
    monkeypatch.setenv("JOURNAL_STREAM", stream)  # systemd.exec(5)
    lifespan._announce(environment, launch.list_addresses("127.0.0.1", 8501, None))
    said = capfd.readouterr().out
    assert ("login?token=" in said) is not is_service
    assert ("`./pitasker link`" in said) is is_service
    assert bool(auth._read(environment)["links"]) is not is_service


def test_a_demo_into_a_pipe_says_how_to_sign_in_to_it(cli, environment, monkeypatch, capfd):
    demo = replace(environment, demo=True)
    monkeypatch.setattr(lifespan, "_is_passed_on", lambda _: True)
    lifespan._announce(demo, launch.list_addresses("127.0.0.1", 8501, None))
    command = capfd.readouterr().out.split("`")[1]
    home, *words = shlex.split(command)
    assert words == ["./pitasker", "link"]
    monkeypatch.setenv(*home.split("="))
    assert cli("link") == 0
    assert auth._read(demo)["links"]


def test_a_server_that_cron_started_prints_no_link_into_its_mail():
    reading, writing = os.pipe()
    assert lifespan._is_passed_on(writing)
    os.close(reading)
    os.close(writing)
