"""./pitasker schedule, and schedules typed as words."""

import json

import pytest


def test_words_get_their_schedule_and_the_next_five_runs(cli, capsys):
    assert cli("schedule", "every weekday at 7:30") == 0
    first, head, *runs = capsys.readouterr().out.splitlines()
    assert first == "30 7 * * 1-5  Monday to Friday at 07:30"
    assert head.startswith("Next runs (")
    assert len(runs) == 5
    assert all(" 07:30 " in run for run in runs)


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("0 2 * * *", 0, "0 2 * * *  Every day at 02:00"),
        ("03/04 at 10:00", 1, "0 10 4 3 *  On 4 March at 10:00 (4 March)"),
        ("every 45 minutes", 1, "30 1-22/3 * * *"),
        ("last day of the month", 1, 'date -d tomorrow +\\%d)" = 01 ]'),
        ("in 10 minutes", 1, "at now + 10 minutes"),
        ("0 22-2 * * *", 1, "0 22-23,0-2 * * *  Every hour from 22:00 to 02:00"),
        ("0 25 * * *", 1, "25 0 * * *  Every day at 00:25"),
    ],
)
def test_the_exit_code_says_whether_it_is_one_schedule(cli, capsys, text, code, shown):
    assert cli("schedule", text) == code
    assert shown in capsys.readouterr().out


def test_what_is_not_understood_is_an_error(cli, capsys):
    assert cli("schedule", "run backup at 3") == 3
    assert "“backup” is not understood here." in capsys.readouterr().err


def test_programs_get_json(cli, capsys):
    assert cli("schedule", "daily at 6pm", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schedule"], len(answer["runs"])) == ("0 18 * * *", 5)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("03/04 at 10:00", "The text has several meanings: 3 April, or 4 March. The text means"),
        ("31st of february", "31 February never comes."),
        ("at 9:00 in Atlantis", "“atlantis” is no time zone that is known here."),
        ("every 17 minutes", "The nearest is */15 * * * * (Every 15 minutes)."),
        ("last day of the month", 'date -d tomorrow +\\%d)" = 01 ]'),
        ("0 25 * * *", "Perhaps `25 0 * * *` was meant."),
    ],
)
def test_words_without_one_meaning_are_refused_with_what_to_type(cli, capsys, words, shown):
    assert cli("add", "Backup", words, "true") == 3
    assert shown in capsys.readouterr().err
    assert cli("list") == 0
    assert "Backup" not in capsys.readouterr().out


def test_words_become_the_schedule_of_a_task_and_are_explained(cli, capsys):
    assert cli("add", "Backup", "every weekday at 7:30", "true") == 0
    assert (
        "“every weekday at 7:30” is 30 7 * * 1-5 (Monday to Friday at 07:30)."
        in capsys.readouterr().out
    )
    assert cli("edit", "1", "--schedule", "sundays 3am") == 0
    assert "“sundays 3am” is 0 3 * * 0 (" in capsys.readouterr().out
    assert cli("list") == 0
    assert "0 3 * * 0" in capsys.readouterr().out


def test_words_that_need_several_entries_become_several_tasks(cli, capsys):
    assert cli("add", "Feed", "every day at 9:00 and 17:30", "true", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["understood"] == ["0 9 * * *", "30 17 * * *"]
    assert [task["name"] for task in answer["tasks"]] == ["Feed (1 of 2)", "Feed (2 of 2)"]
