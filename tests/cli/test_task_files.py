"""`./pitasker tasks export` and `import`."""

import io
import json
import stat
import zipfile
from pathlib import Path

import pytest

from tests.helpers.examples import create

PEERS = Path(__file__).parent.parent / "formats" / "peers"


@pytest.fixture
def answer(cli, capsys):
    """Run a command with --json. Returns the exit code and the JSON."""

    def run(*words):
        capsys.readouterr()
        code = cli(*words, "--json")
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.mark.parametrize("name", ["json", "yaml", "csv", "crontab"])
def test_an_exported_file_is_imported_again(name, environment, cli, answer, tmp_path):
    create(environment, "Backup", command="/bin/backup")
    file = tmp_path / f"tasks.{name}"
    assert cli("tasks", "export", "--format", name, str(file)) == 0
    cli("remove", "1")
    code, data = answer("tasks", "import", str(file))
    assert code == 0
    assert [task["name"] for task in data["tasks"]] == ["Backup"]


def test_an_exported_file_is_for_its_owner_alone(environment, cli, tmp_path):
    create(environment)
    cli("tasks", "export", str(tmp_path / "x.json"))
    assert stat.S_IMODE((tmp_path / "x.json").stat().st_mode) == 0o600


def test_without_a_file_the_tasks_are_printed_and_the_notes_beside_them(environment, cli, capfd):
    create(environment)
    assert cli("tasks", "export", "--format", "systemd") == 0
    out, err = capfd.readouterr()
    assert "[Timer]\nOnCalendar=" in out
    assert "enable-linger" in err
    assert "enable-linger" not in out


def test_units_are_written_into_a_folder_or_an_archive(environment, cli, tmp_path):
    create(environment, "Backup")
    assert cli("tasks", "export", "--format", "systemd", str(tmp_path / "units")) == 0
    names = ["pitasker-backup.service", "pitasker-backup.timer"]
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == names
    assert cli("tasks", "export", "--format", "systemd", str(tmp_path / "units.zip")) == 0
    with zipfile.ZipFile(io.BytesIO((tmp_path / "units.zip").read_bytes())) as archive:
        assert set(names) < set(archive.namelist())


def test_only_chosen_tasks_are_exported(environment, answer):
    create(environment, "One")
    second = create(environment, "Two")
    code, data = answer("tasks", "export", "--task", str(second.id))
    assert code == 0
    assert [task["name"] for task in json.loads(data["content"])["tasks"]] == ["Two"]
    assert answer("tasks", "export", "--task", "99")[0] == 3


def test_a_preview_lists_what_would_be_made_and_makes_nothing(answer, cli, capsys, crontab):
    file = str(PEERS / "crontab-ui.db")
    code, data = answer("tasks", "import", file, "--from", "crontab-ui", "--preview")
    assert code == 1  # a job has seconds
    assert [task["verdict"] for task in data["tasks"]] == ["new", "new", "new", "invalid", "new"]
    cli("tasks", "import", file, "--from", "crontab-ui", "--preview")
    text = capsys.readouterr().out
    assert "Nightly backup" in text
    assert "The environment line PATH of env.db is not taken over." in text
    assert crontab.read() is None


def test_an_import_says_what_became_of_each_task(cli, capsys, crontab):
    file = str(PEERS / "crontab-ui.db")
    assert cli("tasks", "import", file) == 1
    text = capsys.readouterr().out
    assert text.startswith("4 tasks imported.\n")
    assert "not imported: Line 5: “Seconds”: " in text
    assert crontab.read().count(b"PITASKER_ID") == 4
    assert cli("tasks", "import", file) == 1
    assert "0 tasks imported." in capsys.readouterr().out


def test_database_only_leaves_the_crontab_alone(answer, crontab):
    code, data = answer("tasks", "import", str(PEERS / "3f7a-91bc.job"), "--database-only")
    assert (code, data["tasks"][0]["isSystemManaged"], crontab.read()) == (0, False, None)


def test_what_a_file_holds_cannot_speak_to_a_terminal(cli, capsys, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(
        "format: pitasker-tasks\nversion: 1\ntasks:\n"
        '- {name: "a\\e[31mb", cronSchedule: "@daily", command: "x\\ny", "\\e[2J": 1}\n'
        '- {name: "a\\e[31mb", cronSchedule: "\\e[2J", command: "x\\ny"}\n'
    )
    for words in (["--preview"], []):
        assert cli("tasks", "import", str(file), *words) == 1
        assert "\x1b" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("name", ["missing.json", ".", "no-ending"])
def test_a_file_that_cannot_be_read_is_refused(name, cli, capsys, tmp_path):
    (tmp_path / "no-ending").touch()
    assert cli("tasks", "import", str(tmp_path / name)) == 3
    assert capsys.readouterr().err.startswith("pitasker: ")
