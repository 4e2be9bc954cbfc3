"""Each command imports only the packages that it needs."""

import argparse
import subprocess
import sys

import pytest

from pitasker_core.cli.commands import COMMANDS, add_commands

HEAVY = {"alembic", "apprise", "apscheduler", "fastapi", "pandas", "plotly", "streamlit"}


def imported_by(environment, *arguments):
    """Return the top-level packages that a command has imported when it ends."""
    program = (
        "import sys\n"
        "from pitasker_core.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit:\n    pass\n"
        "print('\\n', *{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_nothing_heavy(cli_environment):
    imported = imported_by(cli_environment, "--help")
    assert imported.isdisjoint(HEAVY | {"sqlalchemy", "psycopg", "pydantic"})


@pytest.mark.usefixtures("crontab")
@pytest.mark.parametrize("command", ["status", "list"])
def test_small_commands_import_nothing_of_the_server(cli_environment, environment, command):
    imported = imported_by(cli_environment, command)
    assert imported.isdisjoint(HEAVY | {"pydantic", "concurrent_log_handler"})
    assert "sqlalchemy" in imported


@pytest.mark.parametrize("family", COMMANDS)
def test_help_shows_what_each_module_declares(family):
    declared = argparse.ArgumentParser().add_subparsers()
    add_commands(declared, next(iter(COMMANDS[family])))
    texts = {action.dest: action.help for action in declared._choices_actions}
    assert {name: texts[name] for name in COMMANDS[family]} == COMMANDS[family]
    assert set(texts) == {name for texts in COMMANDS.values() for name in texts}
