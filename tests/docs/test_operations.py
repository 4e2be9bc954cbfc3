"""docs/operations.md and docs/installation.md say what the code does."""

import re

import pytest
import yaml

from pitasker_core.backup import UNPACKED_LIMIT
from pitasker_core.base import log
from pitasker_core.crontab.document import NAME_LIMIT
from pitasker_core.crontab.document.parsing import COMMAND_LIMIT
from pitasker_core.crontab.program import TIME_LIMIT
from pitasker_core.database.preferences import Preferences
from pitasker_core.formats.record import LARGEST_FILE, MOST_RECORDS
from pitasker_core.runs import recorder
from pitasker_core.server import connections
from pitasker_core.server.api.requests import MOST_LINES
from pitasker_core.server.web import bounds
from pitasker_core.sync.install import LOCK_TIME_LIMIT
from pitasker_core.tasks import LONGEST_NOTES
from tests.helpers.documents import DOCS, PROJECT, read_blocks

OPERATIONS = (DOCS / "operations.md").read_text()
INSTALLATION = (DOCS / "installation.md").read_text()
FILES = [yaml.safe_load(block.text) for block in read_blocks(OPERATIONS) if block.info == "yaml"]


def test_the_rules_of_prometheus_use_metrics_that_exist():
    rules = FILES[1]["groups"][0]["rules"]
    named = {name for rule in rules for name in re.findall(r"pitasker_\w+", rule["expr"])}
    assert len(rules) == len({rule["alert"] for rule in rules})
    # A test compares this list with the server's.
    assert named <= set(re.findall(r"^# HELP (\w+)", OPERATIONS, re.MULTILINE))


def test_prometheus_asks_the_default_address():
    [job] = FILES[0]["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:8501"]}]


DEFAULTS, CONNECTIONS = Preferences(), connections.Limits()


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ("lines of a crontab", f"{MOST_LINES:,}, "),
        ("bytes of a command on Debian's cron", f"{COMMAND_LIMIT}, "),
        ("characters of a name, of notes", f"{NAME_LIMIT} and {LONGEST_NOTES:,} "),
        ("output kept of a run", f"the first and the last {recorder.HEAD // 1024} KiB"),
        ("runs and output", f"{DEFAULTS.keep_runs_days} days and {DEFAULTS.keep_runs_mb} MB"),
        (
            "snapshots, history",
            f"{DEFAULTS.keep_snapshots:,} and {DEFAULTS.keep_operations_days} days",
        ),
        ("deleted tasks", f"{DEFAULTS.keep_deleted_days} days"),
        ("tasks in a file", f"{MOST_RECORDS:,}, and {LARGEST_FILE:,} bytes"),
        ("a backup file, unpacked", f"{UNPACKED_LIMIT // 1024**3} GiB"),
        (
            "connections of one address, of all",
            f"{CONNECTIONS.per_address} and {CONNECTIONS.total} ",
        ),
        ("a wait for the lock of the crontab", f"{LOCK_TIME_LIMIT:.0f} seconds"),
        ("a wait for the `crontab` program", f"{TIME_LIMIT:.0f} seconds"),
    ],
)
def test_a_limit_is_that_of_the_code(row, limit):
    assert f"| {row} | {limit}" in OPERATIONS


def test_the_limits_of_the_logs_are_those_of_the_code():
    text = " ".join(OPERATIONS.split())
    assert f"at most {log._BYTES // 1_000_000} MB, and {log._FILES} older ones" in text
    assert f"after {log._AT_MOST} in a minute" in text
    assert log._SECONDS == 60


def test_nginx_lets_the_largest_request_through():
    megabytes = re.search(r"client_max_body_size (\d+)m;", INSTALLATION)
    limits = bounds.Limits()
    assert max(limits.crontab, limits.upload, limits.body) <= int(megabytes[1]) * 1024**2


def test_every_variable_is_explained():
    sources = [*(PROJECT / "pitasker_core").rglob("*.py"), PROJECT / "pitasker"]
    used = {name for path in sources for name in re.findall(r"PITASKER_[A-Z_]+", path.read_text())}
    ours = {"PITASKER_ID", "PITASKER_DEMO"}  # the tag, and what the launcher sets for the demo
    assert used - ours <= set(re.findall(r"`(PITASKER_\w+)`", INSTALLATION))
