"""./pitasker doctor and ./pitasker explain: their output and exit codes."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

from tests.helpers.examples import create

BAD = b"0 5 * * * date +%F\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [(b"0 5 * * * true > /dev/null\n", 0), (BAD, 1), (b"", 0), (b"* 3 * * * true | logger\n", 0)],
)
def test_only_a_finding_of_high_severity_changes_the_exit_code(cli, tmp_path, text, code):
    (tmp_path / "crontab").write_bytes(text)
    assert cli("doctor", str(tmp_path / "crontab"), "--text-only") == code


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(cli, capsys, tmp_path):
    assert cli("doctor", str(tmp_path / "nosuch")) == 3
    assert "cannot be read: No such file" in capsys.readouterr().err
    assert cli("doctor", str(tmp_path)) == 3


def test_without_a_crontab_program_the_doctor_says_what_to_install(cli, capsys, monkeypatch):
    monkeypatch.setenv("PITASKER_CRONTAB", "no-such-crontab")
    assert cli("doctor") == 3
    assert "There is no program no-such-crontab" in (err := capsys.readouterr().err)
    assert "sudo apt install cron" in err
    assert cli("doctor", "--json") == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "CRONTAB_UNAVAILABLE"


def test_standard_input_is_examined(cli, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(BAD)))
    assert cli("doctor", "-", "--json", "--text-only") == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["rule"], finding["line"], finding["severity"]) == ("percent", 1, "high")
    assert finding["fix"]["command"] == "date +\\%F"


def test_the_installed_crontab_is_examined_and_mended(cli, capsys, crontab):
    crontab.write(BAD)
    assert cli("doctor") == 1
    assert "./pitasker doctor --fix percent 1" in capsys.readouterr().out
    assert cli("doctor", "--fix", "percent", "1") == 0
    assert crontab.read() == b"0 5 * * * date +\\%F\n"
    assert cli("doctor") == 0


def test_a_rule_is_silenced_for_a_line_and_for_a_task(cli, capsys, crontab, environment):
    crontab.write(BAD)
    assert cli("doctor", "--silence", "percent", "line:1") == 0
    assert cli("doctor") == 0
    assert "Silenced: 1." in capsys.readouterr().out
    assert cli("doctor", "--unsilence", "percent", "line:1") == 0
    assert cli("doctor") == 1
    task = create(environment, "Task", "0 6 * * *", "/nosuch/x")
    assert cli("doctor", "--silence", "program_missing", str(task.id)) == 0
    assert cli("doctor", "--silence", "nosuch", str(task.id)) == 3
    assert cli("doctor", "--silence", "percent", "first") == 3


def test_hostile_text_is_printed_as_nothing_but_text(cli, capsys, tmp_path):
    (tmp_path / "crontab").write_bytes(b"0 5 * * * /nosuch/\x1b[31m\xff\xc2\x9b2J\r x\n")
    cli("doctor", str(tmp_path / "crontab"))
    printed = capsys.readouterr().out
    assert not {"\x1b", "\x9b", "\r"} & set(printed)


def test_the_rules_are_printed_as_markdown(cli, capsysbinary):
    assert cli("doctor", "--rules") == 0
    assert b"### `percent`" in capsysbinary.readouterr().out


def test_explain_says_what_cron_runs(cli, capsys, crontab, environment):
    crontab.write(b"GREETING=hi\n0 5 * * * cat%in\n")
    assert cli("explain", "line:2", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["command"], data["standardInput"]) == ("cat", "in\n")
    assert data["environment"]["GREETING"] == "hi"
    assert data["login"] is None
    task = create(environment, "Task", "0 6 * * *", "/bin/true")
    assert cli("explain", str(task.id)) == 0
    assert "/bin/true" in capsys.readouterr().out
    assert cli("explain", "line:9") == 3
    assert cli("explain", "99") == 3
