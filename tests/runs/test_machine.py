"""When the machine was on, and whether its clock is right."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pitasker_core.base import clock, paths
from pitasker_core.runs import machine
from pitasker_core.runs.missed.offline_periods import Boot


def test_a_running_pitasker_leaves_a_sign_every_few_minutes(environment):
    environment.make_home()
    now = clock.now()
    machine.say_alive(environment, now)
    first = machine.last_sign(environment)
    assert abs(first.at - now) < timedelta(seconds=5)
    machine.say_alive(environment, now + timedelta(minutes=1))
    assert machine.last_sign(environment) == first
    machine.say_alive(environment, now + timedelta(minutes=6))
    assert machine.last_sign(environment) != first


def test_this_machines_clocks_can_be_read():
    moment = machine.look()
    assert timedelta(0) < moment.awake <= moment.uptime + timedelta(seconds=1)
    assert machine.is_synchronised() in (True, False, None)


@pytest.mark.parametrize(
    ("synchronised", "battery", "service", "minutes_on", "trusted"),
    [
        (True, False, "systemd", 1, True),
        (None, False, "systemd", 1, True),
        (False, False, "systemd", 600, False),
        (False, False, "another", 600, False),
        (False, False, "", 1, True),
        (False, True, "systemd", 59, False),
        (False, True, "systemd", 61, True),
    ],
)  # fmt: skip
def test_a_clock_is_trusted_unless_a_time_server_may_still_set_it(
    monkeypatch, synchronised, battery, service, minutes_on, trusted
):
    exists = {"/dev/rtc0": battery, "/run/systemd/timesync": service == "systemd"}
    monkeypatch.setattr(paths, "exists", exists.get)
    own_name = Path("/proc/self/comm").read_text().strip()
    monkeypatch.setattr(machine, "_TIME_SERVICES", {own_name} if service == "another" else set())
    monkeypatch.setattr(machine, "is_synchronised", lambda: synchronised)
    monkeypatch.setattr(machine.time, "clock_gettime", lambda _: minutes_on * 60)
    assert machine.look().is_trusted is trusted


BOOTS = """[
    {"first_entry": 1000000, "last_entry": 2000000},
    {"first_entry": 5000000, "last_entry": 9000000}
]"""


@pytest.mark.parametrize(
    ("program", "boots"),
    [
        (f"echo '{BOOTS}'", [(1, 2), (5, 9)]),
        (f"echo '{BOOTS}'; exit 1", []),
        ("echo '[{}]'", []),
        ("echo Journal file is corrupt", []),
    ],
)
def test_boots_come_from_the_journal_if_it_can_be_read(tmp_path, monkeypatch, program, boots):
    fake(tmp_path, monkeypatch, "journalctl", program)
    at = [Boot(*(datetime.fromtimestamp(second, UTC) for second in boot)) for boot in boots]
    assert machine.boots() == at


@pytest.mark.parametrize(("state", "is_stopped"), [("running", True), ("stopping", False)])
def test_a_stop_of_the_machine_is_no_stop_of_pitasker(
    environment, tmp_path, monkeypatch, state, is_stopped
):
    fake(tmp_path, monkeypatch, "systemctl", f"echo {state}; exit 1")
    environment.make_home()
    machine.say_alive(environment, clock.now())
    machine.say_stopped(environment)
    assert machine.last_sign(environment).stopped is is_stopped


def fake(folder, monkeypatch, name, script):
    """Replace a program on the PATH by a shell script."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
