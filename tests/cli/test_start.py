"""Each command imports only the packages that it needs."""

import argparse
import subprocess
import sys

import pytest

from pitasker_core.cli.commands import COMMANDS, add_commands

HEAVY = {"alembic", "apprise", "apscheduler", "fastapi", "pandas", "plotly", "streamlit"}
MOST_MODULES = {"--help": 150, "status": 640, "list": 640}
"""Each module costs about a millisecond of a start."""
UNNEEDED = {"status": {"pitasker_core.crontab.doctor.catalogue"}, "list": set()}


def imported_by(environment, *arguments):
    """Return the modules that a command has imported when it ends."""
    program = (
        "import sys\n"
        "from pitasker_core.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print('\\n', *sys.modules)"
    )
    command = [sys.executable, "-c", program, *arguments]
    # The measurement of coverage would import modules of its own.
    variables = {name: environment[name] for name in environment if "COVERAGE" not in name}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def packages(modules):
    return {name.split(".")[0] for name in modules}


def test_help_imports_nothing_heavy(cli_environment):
    imported = imported_by(cli_environment, "--help")
    assert packages(imported).isdisjoint(HEAVY | {"sqlalchemy", "psycopg", "pydantic"})
    assert len(imported) < MOST_MODULES["--help"]


@pytest.mark.usefixtures("crontab")
@pytest.mark.parametrize("command", ["status", "list"])
def test_small_commands_import_nothing_of_the_server(cli_environment, environment, command):
    imported = imported_by(cli_environment, command)
    assert packages(imported).isdisjoint(HEAVY | {"pydantic", "concurrent_log_handler"})
    assert "sqlalchemy" in imported
    assert len(imported) < MOST_MODULES[command]
    assert imported.isdisjoint(UNNEEDED[command])


@pytest.mark.usefixtures("crontab")
def test_words_for_a_schedule_are_explained_without_a_database(cli_environment):
    imported = imported_by(cli_environment, "schedule", "every day at 9")
    assert "pitasker_core.crontab.understanding" in imported
    assert packages(imported).isdisjoint(HEAVY | {"pydantic", "sqlalchemy", "psycopg"})


@pytest.mark.parametrize("family", COMMANDS)
def test_help_shows_what_each_module_declares(family):
    declared = argparse.ArgumentParser().add_subparsers()
    add_commands(declared, next(iter(COMMANDS[family])))
    texts = {action.dest: action.help for action in declared._choices_actions}
    assert {name: texts[name] for name in COMMANDS[family]} == COMMANDS[family]
    assert set(texts) == {name for texts in COMMANDS.values() for name in texts}
