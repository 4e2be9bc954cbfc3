"""The real cron daemon, on the tests' private spool, with its own log and pid file."""

import shutil
import socket
import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pitasker_core.runs import history, spool
from pitasker_core.runs.cron_log import observed
from tests.helpers.examples import create
from tests.helpers.waiting import patience

_PRIVATE = """
set -e
mount --make-rprivate /
mount -t tmpfs none /run  # its pid file, and its note that @reboot was done
for folder in /etc/cron.d /etc/cron.hourly; do
    [ ! -d $folder ] || mount -t tmpfs none $folder  # the tests must not run the machine's jobs
done
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
mkdir "$1/dev"
mount -t tmpfs none "$1/dev"
for node in null zero full random urandom tty; do
    touch "$1/dev/$node"
    mount --bind /dev/$node "$1/dev/$node"
done
touch "$1/dev/log"
mount --bind "$1/log" "$1/dev/log"
mount --move "$1/dev" /dev
exec cron -f
"""


class Syslog(threading.Thread):
    """Writes the messages of its socket to a file, as rsyslog does by default."""

    def __init__(self, address: Path, file: Path) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(address))
        address.chmod(0o666)
        self._file = file

    def run(self) -> None:
        with self._file.open("ab", buffering=0) as file:
            while data := self._socket.recv(65536):
                stamp_and_rest = data.split(b">", 1)[1].rstrip(b"\0\n")
                file.write(stamp_and_rest[:15] + b" host" + stamp_and_rest[15:] + b"\n")


@pytest.fixture
def cron(tmp_path, environment):
    """Start the daemon. It runs the crontab's entries from the next minute on."""
    Syslog(tmp_path / "log", environment.cron_log).start()
    daemons = []

    def start():
        command = ["unshare", "--mount", "sh", "-c", _PRIVATE, "sh", str(tmp_path)]
        daemons.append(subprocess.Popen(command))

    yield start
    for daemon in daemons:
        daemon.terminate()
        daemon.wait(timeout=patience())


@pytest.mark.slow
@pytest.mark.skipif(
    "deny" in Path("/proc/self/setgroups").read_text(),
    reason="without root cron cannot become the user, as the kernel forbids setgroups",
)
@pytest.mark.skipif(not shutil.which("cron"), reason="this machine's daemon is not called cron")
def test_what_cron_runs_is_seen_whether_it_is_recorded_or_not(environment, crontab, cron):
    crontab.write(b"* * * * * printf 'by hand: \xc3\xa9\\t' | cat%input\n")
    before = crontab.read()
    every_minute = "* * * * *"
    plain = create(environment, "Plain", every_minute, "echo plain; cat%a line of input")
    recorded = create(
        environment,
        "Recorded",
        every_minute,
        "cat; echo 'a quote: '\\'' 100\\%'; exit 3%in",
        record_runs=True,
    )
    reboot = create(environment, "Reboot", "@reboot", "true")
    assert crontab.read().startswith(before)
    cron()

    end = time.monotonic() + 60 + patience()
    expected = {("Plain", "observed"), ("Recorded", "recorded"), ("Reboot", "observed")}
    ended = set()
    while not expected <= ended:
        assert time.monotonic() < end, (ended, environment.cron_log.read_text())
        time.sleep(0.5)
        observed.collect(environment)
        spool.collect(environment)
        runs = history.runs(environment)
        ended = {(run.task_name, run.source) for run in runs if run.state != "running"}

    by_task = {run.task: run for run in reversed(runs)}
    assert by_task[plain.id].state == by_task[reboot.id].state == "started"
    latest = by_task[recorded.id]
    assert (latest.state, latest.exit_code) == ("failed", 3)
    assert history.output(environment, latest.id) == b"in\na quote: ' 100%\n"
    # The log and the recorder both report it, but it is one run.
    first = [run for run in runs if abs(run.started_at - latest.started_at) < timedelta(seconds=30)]
    assert [run.source for run in first if run.task == recorded.id] == ["recorded"]
    (by_hand,) = {(run.command, run.source) for run in runs if run.task is None}
    assert by_hand == ("printf 'by hand: é\\t' | cat%input", "observed")
    assert all(run.started_at.second < 30 for run in runs if run.task != reboot.id)
