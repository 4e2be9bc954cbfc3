"""`./pitasker templates`."""

import json
import stat

import pytest

from tests.helpers.examples import create


@pytest.fixture
def answer(cli, capsys):
    """Run a command with --json. Returns the exit code and the JSON."""

    def run(*words):
        capsys.readouterr()
        code = cli("templates", *words, "--json")
        return code, json.loads(capsys.readouterr().out)

    return run


def test_the_list_has_own_templates_first(environment, answer, cli):
    create(environment, "Backup")
    assert cli("templates", "save", "1", "mine") == 0
    code, data = answer("list")
    assert code == 0
    assert [(item["name"], item["isOwn"]) for item in data["templates"][:2]] == [
        ("mine", True),
        ("borg-backup", False),
    ]


def test_show_has_parameters_with_their_meaning(cli, capsys):
    assert cli("templates", "show", "disk-space") == 0
    text = capsys.readouterr().out
    assert "percent    90" in text
    assert "Limit in percent (1 to 100)" in text
    assert "command   used=$(df" in text


def test_use_makes_a_task_with_an_entry(answer, crontab):
    code, data = answer("use", "disk-space", "path=/srv/a b", "percent=80", "--name", "Space")
    assert code == 0
    [task] = data["tasks"]
    assert (task["name"], task["cronSchedule"]) == ("Space", "0 * * * *")
    assert "df --output=pcent '/srv/a b'" in task["command"]
    assert (task["recordRuns"], task["timeoutSeconds"]) == (True, 60)
    assert b"# Space\n0 * * * * " in crontab.read()
    assert "There is no folder /srv/a b." in data["missing"]


def test_a_preview_shows_the_task_and_makes_none(cli, capsys, crontab):
    assert cli("templates", "use", "borg-backup", "--preview") == 0
    text = capsys.readouterr().out
    assert "schedule  15 3 * * *" in text
    assert "Warning: The program borg is not on cron's PATH." in text
    assert crontab.read() is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["use", "disk-space", "percent=101"], 3),
        (["use", "disk-space", "size=1"], 3),
        (["use", "nothing"], 3),
        (["show", "nothing"], 3),
        (["remove", "disk-space"], 3),
        (["save", "99", "mine"], 3),
    ],
)
def test_what_cannot_be_done_is_refused(words, code, cli, capsys):
    assert cli("templates", *words) == code
    assert capsys.readouterr().err.startswith("pitasker: ")


def test_a_value_without_a_name_is_not_understood(cli):
    with pytest.raises(SystemExit) as stopped:
        cli("templates", "use", "disk-space", "80")
    assert stopped.value.code == 2


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_template_travels_as_a_file(form, environment, cli, answer, tmp_path, capsys):
    create(environment, "Backup", command="/bin/backup /mnt/usb")
    assert cli("templates", "save", "1", "mine", "--parameter", "disk=/mnt/usb") == 0
    file = tmp_path / "mine"
    assert cli("templates", "export", "mine", str(file), "--format", form) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert cli("templates", "remove", "mine") == 0
    assert cli("templates", "import", str(file)) == 0
    assert cli("templates", "import", str(file)) == 3
    assert cli("templates", "import", str(file), "--replace") == 0
    capsys.readouterr()
    _, data = answer("use", "mine", "disk=/mnt/other", "--name", "Other")
    assert data["tasks"][0]["command"] == "/bin/backup /mnt/other"


def test_a_file_cannot_speak_to_a_terminal(cli, capsys, tmp_path):
    file = tmp_path / "x"
    file.write_text('format: "\\e[31m"\nversion: 1\n')
    assert cli("templates", "import", str(file)) == 3
    assert "\x1b" not in capsys.readouterr().err
