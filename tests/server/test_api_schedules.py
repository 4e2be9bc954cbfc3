"""Explaining schedules in words, over real HTTP."""

import pytest

from tests.helpers.api import code


def test_words_get_a_schedule_and_its_next_five_runs(api):
    answer = api.get("/schedule", params={"text": "every weekday at 7:30"}).json()
    assert (answer["schedule"], answer["description"]) == (
        "30 7 * * 1-5",
        "Monday to Friday at 07:30",
    )
    assert len(answer["runs"]) == 5


def test_what_cron_cannot_say_has_the_nearest_schedule_and_a_test(api):
    answer = api.get("/schedule", params={"text": "last friday at 17:00"}).json()
    assert answer["schedule"] is None
    [nearest] = answer["suggestions"]
    assert nearest["schedule"] == "0 17 * * 5"
    assert "date -d" in nearest["commandTest"]


@pytest.mark.parametrize("params", [{}, {"text": "x" * 601}])
def test_a_request_without_a_text_of_sensible_length_is_refused(api, params):
    assert code(api.get("/schedule", params=params))[0] == 422


def test_any_bytes_are_answered(api):
    answer = api.get("/schedule?text=%00%ff%1b[31m")
    assert answer.status_code == 200
    assert answer.json()["reason"]
