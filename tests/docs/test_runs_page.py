"""docs/runs.md says what the code does."""

import re

import apprise
import pytest

from pitasker_core.notifications.rules import Rules
from pitasker_core.notifications.service_urls import SERVICES
from pitasker_core.runs import pings, recorder
from tests.helpers.documents import DOCS

RUNS = (DOCS / "runs.md").read_text()
SERVICE_ROWS = re.findall(r"^\| (\w+) \| .* \| `(\w+://\S+)` \|$", RUNS, re.MULTILINE)


@pytest.mark.parametrize(("service", "address"), SERVICE_ROWS)
def test_an_address_of_a_service_is_one(service, address):
    assert apprise.Apprise.instantiate(address) is not None


def test_the_first_services_are_those_with_a_form():
    labels = [service.label for service in SERVICES.values()]
    assert [service for service, _ in SERVICE_ROWS][: len(labels) - 1] == labels[:-1]
    assert f"*{labels[-1]}*" in RUNS


def test_the_limits_of_runs_are_those_of_the_code():
    assert recorder.HEAD == recorder.TAIL == 64 * 1024
    assert "the first and last 64 KiB" in RUNS
    assert Rules().repeat_minutes == 60
    assert f"within {pings.TOO_LATE.seconds // 60} minutes" in RUNS
