"""Commands that a running process answers: the same answers, for its own account alone."""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.identity import Identity
from pitasker_core.server import local_answers, local_socket
from pitasker_core.server.instances import registered
from pitasker_core.tasks import view
from tests.cli.test_start import imported_by, packages

COMMANDS = [
    *(["status"], ["status", "--json"]),
    *(["list"], ["list", "--json"], ["list", "--deleted"], ["list", "--deleted", "--json"]),
]
STRANGER = 12345


@pytest.fixture
def answering(environment):
    """A process that answers."""
    with registered(environment, "agent"), local_answers.answering(environment):
        yield environment.home / "running" / f"{os.getpid()}.socket"


@contextmanager
def listening(environment, user=None):
    """Listen where PiTasker would, and answer nothing. Returns the listening socket."""
    folder = environment.home / "running"
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        with local_socket.address(folder / "1.socket") as name:
            listener.bind(name)
        try:
            os.seteuid(os.geteuid() if user is None else user)
        except OSError:
            pytest.skip("this needs root")
        try:
            listener.listen()  # the account of now is the one that others see
        finally:
            os.seteuid(os.getuid())
        yield listener


def test_a_command_says_the_same_when_a_running_process_answers_it(
    cli, crontab, environment, capsys, monkeypatch
):
    crontab.write(b"# Web\n*/5 * * * * echo caf\xe9\n0 3 * * 1 /usr/bin/weekly\n")
    cli("import")
    cli("add", "Zwölf\u202e", "0 12 * * *", "/bin/noon", "--database-only")
    cli("remove", "1")
    capsys.readouterr()
    computed = [(cli(*words), capsys.readouterr()) for words in COMMANDS]
    with registered(environment, "agent"), local_answers.answering(environment):
        monkeypatch.setattr(local_socket, "get", local_socket.ask)
        assert [(cli(*words), capsys.readouterr()) for words in COMMANDS] == computed


def test_an_unreadable_crontab_is_reported_by_the_process_that_answers(
    cli, environment, capsys, monkeypatch
):
    monkeypatch.setenv("PITASKER_CRONTAB", "/bin/false")
    broken = replace(environment, crontab_program="/bin/false")
    computed = (cli("list"), capsys.readouterr())
    assert computed[0] == 1
    assert computed[1].err.startswith("pitasker: ")
    with registered(broken, "agent"), local_answers.answering(broken):
        monkeypatch.setattr(local_socket, "get", local_socket.ask)
        assert (cli("list"), capsys.readouterr()) == computed


@pytest.mark.parametrize("command", ["status", "list"])
@pytest.mark.usefixtures("answering")
def test_a_command_that_a_running_process_answers_imports_no_database(cli_environment, command):
    imported = imported_by(cli_environment, command)
    assert packages(imported).isdisjoint({"sqlalchemy", "psycopg"})
    assert len(imported) < 200


@pytest.mark.usefixtures("answering")
def test_an_answer_is_never_older_than_a_change_by_another_program(
    environment, crontab, monkeypatch
):
    monkeypatch.setattr(view, "DISPLAY_SECONDS", 3600.0)  # what pages may show for a while
    crontab.write(b"0 1 * * * /bin/a\n")
    for _ in range(2):  # the first may write to the database
        assert local_socket.ask(environment, "status")["unmanagedCount"] == 1
    crontab.write(b"0 1 * * * /bin/a\n0 2 * * * /bin/b\n")
    assert local_socket.ask(environment, "status")["unmanagedCount"] == 2


@pytest.mark.parametrize(
    "difference",
    [
        {"database_url": "postgresql:///other"},
        {"crontab_program": "/bin/false"},
        {"given_identity": Identity("other", "user")},
    ],
    ids=lambda difference: next(iter(difference)),
)
@pytest.mark.usefixtures("answering")
def test_a_process_with_another_database_crontab_or_host_does_not_answer(environment, difference):
    assert local_socket.ask(environment, "status")
    assert local_socket.ask(replace(environment, **difference), "status") is None


@pytest.mark.usefixtures("answering")
def test_a_process_from_before_an_upgrade_does_not_answer(cli_environment, tmp_path):
    code = Path(local_socket.__file__).parents[1]
    shutil.copytree(code, tmp_path / code.name, ignore=shutil.ignore_patterns("__pycache__"))
    ask = (
        "from pitasker_core.base.environment import Environment;"
        "from pitasker_core.server import local_socket;"
        "print(local_socket.ask(Environment.from_environment(), 'status') is not None)"
    )

    def is_answered():
        command = [sys.executable, "-c", ask]
        return subprocess.check_output(command, cwd=tmp_path, env=cli_environment, text=True)

    assert is_answered() == "True\n"
    os.utime(tmp_path / code.name / "server" / "answers" / "tasks.py")
    assert is_answered() == "False\n"


@pytest.mark.usefixtures("answering")
def test_what_a_process_cannot_answer_the_command_computes_itself(environment, monkeypatch):
    def fail(*_):
        raise DatabaseError("It is away.")

    with monkeypatch.context() as patch:
        patch.setitem(local_answers._ANSWERS, "status", fail)
        assert local_socket.ask(environment, "status") is None
        with pytest.raises(DatabaseError):
            local_socket.get(environment, "status")
    assert local_socket.ask(environment, "no such question") is None
    assert local_socket.ask(environment, "status")


def test_a_process_that_hangs_or_has_died_holds_up_no_command(environment, cli, monkeypatch):
    monkeypatch.setattr(local_socket, "TIME_LIMIT", 0.1)
    with listening(environment):
        assert local_socket.ask(environment, "status") is None
    assert (environment.home / "running" / "1.socket").exists()
    assert local_socket.ask(environment, "status") is None
    assert cli("status") == 0


def test_a_listener_of_another_account_gets_no_question(environment):
    with listening(environment, STRANGER) as listener:
        assert local_socket.ask(environment, "status") is None
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""


def test_another_account_that_reaches_the_socket_gets_no_answer(answering, environment):
    assert answering.stat().st_mode & 0o777 == 0o600
    answering.chmod(0o666)
    answering.parent.chmod(0o711)
    request = f"status\n{local_socket.context(environment)}\n"
    script = "import socket, sys; end = socket.socket(socket.AF_UNIX); end.connect(sys.argv[1]);"
    script += "print('connected'); end.sendall(sys.argv[2].encode()); print(end.makefile().read())"

    def run(**account):
        with local_socket.address(answering) as name:
            return subprocess.run(
                ["/usr/bin/python3", "-I", "-S", "-c", script, name, request],
                pass_fds=[int(name.split("/")[-2])],
                stdout=subprocess.PIPE,
                text=True,
                check=False,
                **account,
            ).stdout.split()

    assert '"health"' in " ".join(run())
    if os.getuid():
        pytest.skip("this needs root")
    assert run(user=STRANGER) == ["connected"]
