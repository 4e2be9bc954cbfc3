"""The command line: its output, JSON and exit codes."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pitasker_core import __version__
from pitasker_core.runs import history, manual
from tests.helpers.examples import create

LINES = b"# Web\n*/5 * * * * curl -fsS example.org\n0 3 * * 1 /usr/bin/weekly\n"


@pytest.fixture
def answer(cli, capsys):
    """Run a command with --json. Returns the exit code and the JSON."""

    def run(*words):
        code = cli(*words, "--json")
        return code, json.loads(capsys.readouterr().out)

    return run


def test_import_tells_counts_and_each_line_with_its_reason(crontab, answer):
    crontab.write(LINES + b"0 3 * * 1 /usr/bin/weekly\n0 1 * * * echo it's\n")
    code, data = answer("import")
    assert code == 1
    assert (data["imported"], data["updated"], data["skipped"]) == (2, 0, 1)
    assert data["skippedLines"][0]["line"] == 4
    assert data["errors"][0]["line"] == 5
    assert "quote" in data["errors"][0]["message"]


def test_import_of_one_line_leaves_the_others_unmanaged(crontab, answer):
    crontab.write(LINES)
    assert answer("import", "3")[0] == 0
    assert answer("status")[1]["unmanagedCount"] == 1


def test_import_as_a_copy_leaves_the_crontab_as_it_is(crontab, answer):
    crontab.write(LINES)
    assert answer("import", "--database-only")[1]["imported"] == 2
    assert crontab.read() == LINES


def test_status_counts_both_sides(crontab, answer):
    crontab.write(LINES)
    answer("import", "2")
    code, data = answer("status")
    assert code == 0
    expected = {
        "dbTaskCount": 1,
        "crontabEntryCount": 2,
        "syncedCount": 1,
        "unsyncedCount": 0,
        "health": "green",
    }
    assert expected.items() <= data.items()
    assert data["lastSync"]


def test_sync_tells_what_went_each_way_and_names_conflicts(crontab, answer, environment):
    crontab.write(LINES)
    answer("import")
    crontab.write(crontab.read().replace(b"/usr/bin/weekly", b"/usr/bin/by-hand"))
    code, data = answer("sync")
    assert (code, data["imported"], data["exported"], data["conflicts"]) == (0, 1, 0, [])


def test_sync_dry_run_changes_nothing(crontab, answer):
    crontab.write(LINES)
    answer("import")
    crontab.write(crontab.read().replace(b"/usr/bin/weekly", b"/usr/bin/by-hand"))
    for _ in range(2):
        code, data = answer("sync", "--dry-run")
        assert code == 1
        assert data["discrepancies"][0]["kind"] == "changed_in_crontab"


def test_sync_can_take_the_databases_version_of_one_task(crontab, answer):
    crontab.write(LINES)
    answer("import")
    before = crontab.read()
    crontab.write(before.replace(b"/usr/bin/weekly", b"/usr/bin/by-hand"))
    task = answer("validate")[1]["discrepancies"][0]["task"]
    assert answer("sync", str(task), "--take", "database")[0] == 0
    assert crontab.read() == before


def test_validate_says_whether_all_is_valid(crontab, answer):
    crontab.write(LINES)
    code, data = answer("validate")
    assert (code, data["isValid"]) == (0, True)
    assert {d["kind"] for d in data["discrepancies"]} == {"unmanaged_entry"}


def test_what_a_person_should_know_of_an_entry_is_said_when_it_is_saved(cli, crontab, capsys):
    crontab.write(b"SHELL=/bin/dash\n")
    assert cli("add", "Both", "0 1 * * *", "true &>> /tmp/log") == 0
    assert "Warning: This shell reads &> as & and >" in capsys.readouterr().out
    assert cli("edit", "1", "--notes", "later") == 0
    assert "Warning" not in capsys.readouterr().out
    assert cli("edit", "1", "--command", "true >> /tmp/log 2>&1") == 0
    assert "Warning" not in capsys.readouterr().out


def test_add_edit_pause_resume_remove_and_undo_follow_each_other(crontab, answer):
    code, data = answer("add", "Night", "0 2 * * *", "/bin/night", "--label", "home")
    task = data["tasks"][0]
    number = str(task["id"])
    assert code == 0
    assert task["labels"] == ["home"]
    answer("edit", number, "--command", "/bin/day", "--schedule", "@daily")
    assert b"\n@daily /bin/day # PITASKER_ID:" in crontab.read()
    answer("pause", number)
    assert b"\n# @daily /bin/day # PITASKER_ID:" in crontab.read()
    answer("resume", number)
    assert b"\n@daily /bin/day # PITASKER_ID:" in crontab.read()
    answer("remove", number)
    assert crontab.read() == b""
    answer("undo-remove", number)
    assert b"\n@daily /bin/day # PITASKER_ID:" in crontab.read()


def test_export_tells_how_many_were_written(crontab, answer):
    number = answer("add", "A", "0 1 * * *", "/bin/a", "--database-only")[1]["tasks"][0]["id"]
    assert not crontab.read()
    code, data = answer("export", str(number))
    assert (code, data["synced"], data["failed"], data["errors"]) == (0, 1, 0, [])


def test_list_shows_where_each_task_stands(answer):
    answer("add", "A", "0 1 * * *", "/bin/a")
    (task,) = answer("list")[1]["tasks"]
    assert (task["name"], task["state"], task["isSystemManaged"]) == ("A", "Synced", True)


def test_raw_get_prints_the_exact_bytes(crontab, environment, cli_environment):
    odd = b"# caf\xe9\r\n0 5 * * * echo caf\xe9\r\n"
    crontab.write(odd)
    command = [sys.executable, "-m", "pitasker_core", "raw", "get"]
    done = subprocess.run(command, env=cli_environment, capture_output=True, check=True)
    assert done.stdout == odd


def test_raw_set_installs_a_file_and_refuses_one_based_on_another_text(crontab, answer, tmp_path):
    crontab.write(LINES)
    seen = answer("raw", "get")[1]
    assert seen["content"] == LINES.decode()
    file = tmp_path / "new"
    file.write_bytes(LINES + b"# more\n")
    assert answer("raw", "set", str(file), "--if-sha256", seen["sha256"])[0] == 0
    assert crontab.read() == LINES + b"# more\n"
    code, data = answer("raw", "set", str(file), "--if-sha256", seen["sha256"])
    assert (code, data["error"]["code"]) == (3, "CONCURRENT_MODIFICATION")


def test_snapshots_can_be_listed_shown_and_restored(crontab, answer):
    crontab.write(LINES)
    answer("import")
    first = answer("snapshots")[1]["snapshots"][-1]
    assert answer("snapshots", "--show", str(first["id"]))[1]["content"] == LINES.decode()
    assert answer("restore", str(first["id"]))[0] == 0
    assert crontab.read() == LINES


def test_a_health_that_is_not_green_is_an_exit_code(crontab, answer):
    crontab.force(b"61 * * * * /bin/never\n")
    code, data = answer("status")
    assert (code, data["health"], data["invalidLineCount"]) == (1, "yellow", 1)


def test_an_error_has_a_code_a_message_and_advice(answer):
    code, data = answer("restore", "12345")
    assert code == 3
    assert data["error"]["code"] == "NOT_FOUND"
    assert data["error"]["advice"]


def test_a_number_that_is_too_long_to_read_is_refused(answer):
    assert answer("restore", 5000 * "9")[0] == 3


def test_words_that_are_not_understood_exit_with_two(cli, capsys):
    with pytest.raises(SystemExit) as ended:
        cli("frobnicate")
    assert ended.value.code == 2


def test_what_a_terminal_would_obey_is_printed_as_text(crontab, cli, capsys):
    crontab.force(b"0 1 * * * echo \x1b[2J\n")
    cli("import", "--dry-run")
    assert "\x1b" not in capsys.readouterr().out


def test_without_a_crontab_program_the_error_says_what_to_install(cli, capsys, monkeypatch):
    monkeypatch.setenv("PITASKER_CRONTAB", "/nonexistent/crontab")
    assert cli("raw", "get") == 3
    assert "sudo apt install cron" in capsys.readouterr().err


def test_psql_opens_a_shell_on_the_database(cli_environment):
    command = [sys.executable, "-m", "pitasker_core", "psql", "-Atc", "select 40 + 2"]
    done = subprocess.run(command, env=cli_environment, capture_output=True, check=False)
    assert done.stdout == b"42\n", done.stderr


def test_a_task_is_run_by_hand_with_its_output_and_its_exit_code(cli, environment, capfdbinary):
    task = create(environment, command="printf 'out\\377\\n'; exit 7")
    assert cli("run", str(task.id), "--wait") == 7
    assert capfdbinary.readouterr().out == b"out\xff\n"
    assert cli("runs", "--task", str(task.id), "--failed", "--json") == 0
    (run,) = json.loads(capfdbinary.readouterr().out)["runs"]
    assert (run["exitCode"], run["source"], run["bytes"]) == (7, "by hand", 5)
    assert cli("output", str(run["id"])) == 0
    assert capfdbinary.readouterr().out == b"out\xff\n"
    assert cli("runs") == 0
    assert b"exit code 7" in capfdbinary.readouterr().out
    assert cli("run", "999") == 3


def test_a_job_that_a_signal_ended_exits_as_in_a_shell(cli, environment, capfdbinary):
    task = create(environment, command="echo out; kill -TERM $$")
    assert cli("run", str(task.id), "--wait", "--json") == 128 + signal.SIGTERM
    run = json.loads(capfdbinary.readouterr().out)
    assert (run["signal"], run["bytes"]) == (signal.SIGTERM, 4)


def test_a_run_can_be_started_without_waiting_for_its_end(cli, environment, capfd):
    task = create(environment, command="sleep 60")
    assert cli("run", str(task.id), "--json") == 0
    started = json.loads(capfd.readouterr().out)
    manual.stop(environment, started["name"])
    assert history.named(environment, started["name"]).id == started["run"]


def test_the_version_is_the_projects(cli, capsys):
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == __version__
    with pytest.raises(SystemExit) as ended:
        cli("--version")
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"PiTasker {__version__}\n"


def test_status_counts_one_thing_in_the_singular(crontab, cli, capsys):
    crontab.force(b"0 1 * * * /bin/one\n61 * * * * /bin/never\n")
    cli("status")
    assert "1 entry (1 unmanaged, 1 invalid line)\n" in capsys.readouterr().out


def test_raw_set_without_a_database_says_what_was_done_and_what_was_not(
    crontab, cli, capsys, monkeypatch, tmp_path
):
    crontab.write(LINES)
    file = tmp_path / "new"
    file.write_bytes(LINES + b"# more\n")
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    assert cli("raw", "set", str(file)) == 1
    assert crontab.read() == LINES + b"# more\n"
    data = capsys.readouterr().out
    assert data.startswith("The crontab is saved.\n")
    assert "The tasks are not updated yet." in data
    assert "not affected" not in data


def test_a_reader_that_has_seen_enough_is_no_error(cli_environment):
    command = [sys.executable, "-m", "pitasker_core", "list", "--json"]
    deaf, ours = os.pipe()
    os.close(deaf)
    with os.fdopen(ours) as end:
        done = subprocess.run(command, env=cli_environment, stdout=end, stderr=-1, check=False)
    assert done.stderr == b""
    assert done.returncode == 128 + signal.SIGPIPE


def test_what_failed_is_said_once(cli_environment):
    command = [sys.executable, "-m", "pitasker_core", "sync"]
    nowhere = {**cli_environment, "PITASKER_CRONTAB": "/nonexistent/crontab"}
    done = subprocess.run(command, env=nowhere, capture_output=True, check=False)
    assert done.stderr.count(b"There is no program") == 1


def test_without_a_command_options_are_those_of_the_server(cli, capsys):
    assert cli("--port", "99999") == 3
    assert "There is no port 99999" in capsys.readouterr().err


def test_a_sync_that_stopped_says_by_which_options_it_goes_on(crontab, answer):
    answer("add", "A", "0 1 * * *", "/bin/a")
    whole = crontab.read()
    crontab.remove()
    code, data = answer("sync", "--policy", "database")
    assert (code, data["error"]["code"]) == (3, "MASS_REMOVAL")
    assert "`sync --take database`" in data["error"]["advice"]
    assert answer("sync", "--take", "database")[0] == 0
    assert crontab.read() == whole
    crontab.remove()
    assert answer("sync", "--confirm")[0] == 0
    assert answer("list")[1]["tasks"][0]["isSystemManaged"] is False
